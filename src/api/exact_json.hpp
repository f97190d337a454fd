// JSON whose numbers are read as they are written. Boost.JSON 1.81 reads one in seven numbers of 17 digits one step
// off, which tells two samples apart that are equal.
#pragma once

#include <boost/json.hpp>
#include <string_view>

namespace homeostat::api {

boost::json::value parse_exact(std::string_view text, boost::system::error_code& wrong);

}  // namespace homeostat::api
