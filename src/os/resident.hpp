// How much memory the process holds.
#pragma once

namespace homeostat::os {

/// Gives back what a start or a reload needed and the time after it does not: what is free on the heap, and the pages
/// of the program and its libraries that are as they are on disk. What of them is used again is mapped again, at once
/// where the system still has it in its cache. Costs some milliseconds; not for every second.
void give_memory_back();

}  // namespace homeostat::os
