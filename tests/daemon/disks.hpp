// Disks that are small or fail, in the place of a lab's state directory. They are mounted for this test program and
// what it starts, and for nobody else.
#pragma once

#include <string>

#include "lab.hpp"

namespace homeostat::lab {

/// A file system in memory, of a limited size.
class SmallDisk {
 public:
  SmallDisk(const Lab& lab, const std::string& size);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  /// False: namespaces are not allowed here.
  bool mounted() const { return mounted_; }
  bool make_read_only() const;
  /// Writes until nothing more fits.
  void fill() const;
  /// Gives back what `fill` has taken.
  void empty() const;

 private:
  std::string path_;
  bool mounted_ = false;
};

/// An ext4 that the kernel itself takes to read-only, as it does after an error of the disk.
class FailingDisk {
 public:
  explicit FailingDisk(const Lab& lab);
  ~FailingDisk();
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  /// False: this kernel has no loop devices for us, or no way to make an error.
  bool mounted() const { return !trigger_.empty(); }
  bool fail() const;
  /// Checked and mounted anew, as an administrator would. Nobody may be using it.
  bool repair();

 private:
  bool mount();

  std::string image_;
  std::string path_;
  std::string trigger_;
};

}  // namespace homeostat::lab
