// Two hosts with a cable between them, as network namespaces: the near one is this thread's, and so of all that it
// starts; on the far one small servers answer every request with 200.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "os/fd.hpp"

namespace homeostat::soak {

enum class Cut {
  own_link,  // the near end is taken down: there is no route any more
  carrier,   // the far end is taken down: everything sent is lost
};

class TwoHosts {
 public:
  static constexpr const char* kFarAddress = "10.199.0.2";
  static constexpr int kFirstPort = 8000;

  /// Takes this thread into a network of its own, with `servers` on the far host; null where that is not allowed.
  static std::unique_ptr<TwoHosts> make(int servers);
  ~TwoHosts();
  TwoHosts(const TwoHosts&) = delete;
  TwoHosts& operator=(const TwoHosts&) = delete;

  /// False: the kernel refused.
  bool cut(Cut how) const { return set_link(how, false); }
  bool mend(Cut how) const { return set_link(how, true); }

 private:
  TwoHosts() = default;
  bool set_link(Cut how, bool up) const;
  void serve(const std::stop_token& stop) const;

  os::Fd near_;  // sockets, through which the ends of the cable are reached
  os::Fd far_;
  std::vector<os::Fd> listeners_;
  std::jthread server_;
};

}  // namespace homeostat::soak
