// One run on the slow path, as a coroutine.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>

#include "probe/judge.hpp"
#include "probe/resolver.hpp"
#include "probe/slow_path.hpp"
#include "probe/tls.hpp"

namespace homeostat::probe {

struct Means {
  boost::asio::io_context& io;
  Resolver& resolver;
  TlsContexts& contexts;
};

/// Resolves, connects, asks and judges within `timeout`.
boost::asio::awaitable<Finding> look(Means means, std::shared_ptr<const SlowRequest> request, Duration timeout);

}  // namespace homeostat::probe
