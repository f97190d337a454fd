// The API's answers as text for people.
#pragma once

#include <string>

#include "cli/table.hpp"

namespace homeostat::cli {

std::string show_status(const json::object& status, bool color);
/// One service in full: its checks, its incident.
std::string show_service(const json::object& status, bool color);
std::string show_why(const json::object& why, const json::object* history, bool color);
std::string show_history(const json::object& history, bool color);
std::string show_stats(const json::object& stats, bool color);
/// One line of a timeline.
std::string show_line(const json::object& line, bool color);

/// Instances that get fewer requests than others, or may not be acted on, a line each; empty when there are none.
std::string show_others(const json::object& service, bool color);
/// The flags of a service in one cell, with who suppresses it.
std::string flags_text(const json::object& service, std::string_view fallback = "");

/// Escalations and approvals that wait for somebody; empty when there are none.
std::string show_waiting(const json::object& status, bool color);

}  // namespace homeostat::cli
