#include "faults.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cstdlib>

namespace homeostat::lab {

Faults::Faults(Lab& lab) {
  const std::string path = lab.dir() + "/faults";
  const os::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (::ftruncate(fd.get(), sizeof(FaultPage)) != 0) std::abort();
  void* shared = ::mmap(nullptr, sizeof(FaultPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (shared == MAP_FAILED) std::abort();
  page_ = static_cast<FaultPage*>(shared);  // zeros: no fault
  lab.environment[kFaultFile] = path;
  lab.environment["LD_PRELOAD"] = build_dir() + "/libdaemon_fault_layer.so";
}

Faults::~Faults() { ::munmap(page_, sizeof(FaultPage)); }

}  // namespace homeostat::lab
