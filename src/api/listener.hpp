// The unix socket of the local API: made safely, taken over only from the dead.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>

#include "core/error.hpp"
#include "os/fd.hpp"

namespace homeostat::api {

/// A listening unix socket at `path`, mode 0600. A socket that nobody listens on is replaced; a live one, or anything
/// that is no socket, is an error.
std::expected<os::Fd, Error> listen_at(const std::string& path);

/// Removes the socket if it still is the one that `listener` made.
void unlink_listener(const std::string& path, int listener);

/// Who is at the other end of a connected socket; an error when that cannot be told.
std::expected<uid_t, Error> peer_uid(int fd);

/// The login name, or the number when there is none.
std::string user_name(uid_t uid);

}  // namespace homeostat::api
