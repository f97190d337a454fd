// A small file that is replaced as a whole, and durably, by a thread of its own: whoever saves does not wait.
#pragma once

#include <condition_variable>
#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"

namespace homeostat::os {

class SavedFile {
 public:
  /// Called by the thread once the text, or a newer one, is on the disk, or could not be put there.
  using Saved = std::move_only_function<void(const std::expected<void, Error>& result)>;

  explicit SavedFile(std::string path) : path_(std::move(path)) {}
  /// What was to be saved is saved before.
  ~SavedFile();
  SavedFile(const SavedFile&) = delete;
  SavedFile& operator=(const SavedFile&) = delete;

  const std::string& path() const { return path_; }
  /// Of what comes while another text is being written, only the newest is.
  void save(std::string text, Saved saved);

 private:
  void work();

  std::string path_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<std::string> next_;
  std::vector<Saved> waiting_;  // for `next_`
  bool ending_ = false;
  std::thread thread_;  // begun with the first text
};

/// Afterwards the file has this text, also when the power fails; or it is as it was before.
std::expected<void, Error> replace_file(const std::string& path, const std::string& text);

}  // namespace homeostat::os
