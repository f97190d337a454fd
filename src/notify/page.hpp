// What a human is to be told.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace homeostat::notify {

struct Page {
  std::string service;     // empty: it is about Homeostat itself
  std::string summary;     // any text
  std::string incident;    // its number; empty: none
  std::string escalation;  // which page it is, "3.17"; a repetition has the same
  std::string attempt;
  std::string host;
  std::string key{};  // by which who gets a repetition knows it; its summary may tell what has been seen since
};

/// The page as the variables HOMEOSTAT_SERVICE, HOMEOSTAT_SUMMARY, … tell it, which every notifier has.
Page page_of(const std::function<std::string(const char* variable)>& environment, std::string host);

/// What this machine is called.
std::string host_name();

/// The key of a page with this summary: the same for every attempt, another for every other page; 32 hexadecimal
/// digits.
std::string deduplication_key(const Page& page);

}  // namespace homeostat::notify
