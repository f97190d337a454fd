// Which names say that what they stand for must never be repeated.
#pragma once

#include <string_view>
#include <vector>

namespace homeostat::config {

/// `API_KEY_2`, `accessToken`, `db-pass-prod`; not `SORT_KEY`, `TOKEN_URL`, `PASSWORD_FILE`.
bool is_secret_name(std::string_view name);

/// The pieces of a text between any of the characters of `at`.
std::vector<std::string_view> split(std::string_view text, std::string_view at);

}  // namespace homeostat::config
