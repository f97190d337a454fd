// Bytes as letters (RFC 4648).
#pragma once

#include <string>
#include <string_view>

namespace homeostat {

std::string base64(std::string_view bytes);

}  // namespace homeostat
