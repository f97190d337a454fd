// The fault layer under a lab's daemon: to be made before the daemon is started.
#pragma once

#include <memory>

#include "fault_page.hpp"
#include "lab.hpp"

namespace homeostat::lab {

class Faults {
 public:
  explicit Faults(Lab& lab);
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  FaultPage* page() const { return page_; }

 private:
  FaultPage* page_ = nullptr;
};

}  // namespace homeostat::lab
