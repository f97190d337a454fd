// The process that sends one page: the daemon runs it as it runs a notifier of the user's.
#pragma once

#include <string>
#include <vector>

#include "notify/sender.hpp"

namespace homeostat::notify {

/// The verb by which the program is run for it.
inline constexpr const char* kVerb = "deliver-page";
/// The variable that tells it the sender.
inline constexpr const char* kSenderVariable = "HOMEOSTAT_SENDER";
/// What is run: the program that is running now, also when its file has been replaced meanwhile.
std::vector<std::string> deliverer();

/// What the environment tells is sent. Prints one line about it; returns the exit code, 0: the receiver has taken it.
int deliver();

}  // namespace homeostat::notify
