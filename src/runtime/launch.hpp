// What has to be known to start one instance, and how it becomes a command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "engine/ids.hpp"
#include "os/child.hpp"
#include "runtime/spec.hpp"

namespace homeostat::runtime {

/// Names of services and versions become parts of paths: letters, digits, '.', '_', '-', not first '.' or '-'.
bool valid_name(std::string_view name);

/// What an instance's lock file tells about its start, beside the process's identity.
struct StartTag {
  engine::CommandId command;
  std::uint16_t port = 0;
  std::string version;
};
std::string to_text(const StartTag& tag);
/// Nothing when the text is not exactly that.
std::optional<StartTag> parse_tag(std::string_view text);

struct Launch {
  std::string service;
  std::int32_t slot = 0;
  StartTag tag;
};

/// The child to start: placeholders filled in, environment added. Its descriptors, lock and cgroup are the caller's. An
/// error: no such release, a placeholder that means nothing here.
std::expected<os::ChildSpec, Error> child_of(const ProcessSpec& spec, const Launch& launch);

}  // namespace homeostat::runtime
