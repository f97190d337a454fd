// The words of the diagnosis: what depends on what, what was seen of each, and what was found out.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "homeostat/time.hpp"

namespace homeostat::diagnosis {

/// A service, by its place in the list the program keeps. Where all numbers are equal the smaller one comes first, so
/// a program that sorts by name gets the same answer every time.
using Node = std::uint32_t;
inline constexpr Node kNobody = 0xffffffffU;

enum class Tie : std::uint8_t {
  hard,     // without it nothing works
  soft,     // without it some things do not work
  runs_on,  // the host: when it is gone, so is everything on it
};

/// `from` needs `to`. Edges of one `from` with the same any_of (not 0) are alternatives: one that works is enough.
struct Edge {
  Node from = 0;
  Node to = 0;
  Tie tie = Tie::hard;
  std::uint32_t any_of = 0;
};

enum class Sign : std::uint8_t {
  healthy,
  unknown,  // nobody could look
  symptom,  // slow, time-outs, errors: its own fault or another's
  direct,   // its process has ended, its port refuses, it was killed for its memory
};

constexpr bool alarms(Sign sign) { return sign == Sign::symptom || sign == Sign::direct; }

struct Evidence {
  Sign sign = Sign::healthy;
  std::uint8_t looks = 1;    // bad looks in a row
  bool changed = false;      // a deployment or a change of its configuration, not long ago
  bool untouchable = false;  // not ours to repair
  bool excluded = false;     // it was repaired, and that did not help
  bool meant = false;        // somebody stopped it: it explains what is known to need it, and nothing else
  Instant since = kNever;    // its first bad look
};

/// Hundredths of a power of ten: 100 is ten times as likely. Chosen from the words beside them; only what it takes to
/// act was chosen by looking at bench/diagnosis.
struct Weights {
  std::int32_t root = -200;               // one service in a hundred fails by itself while another one does
  std::int32_t changed = 100;             // … ten times as often after a change
  std::int32_t sign_of_root = -30;        // a root shows either sign, half and half
  std::int32_t direct_when_hit = -170;    // two in a hundred die because of what they depend on
  std::int32_t direct_by_mistake = -500;  // with so many looks, or less; each more of them counts like another one
  std::int32_t direct_looks = 3;
  std::int32_t false_alarm = -170;  // two looks in a hundred are wrong
  std::int32_t hard_passes = -10;   // four symptoms in five get over an edge …
  std::int32_t hard_stops = -70;
  std::int32_t soft_passes = -52;  // … three in ten over a soft one
  std::int32_t soft_stops = -15;
  std::int32_t undeclared = -100;            // one edge in ten is not declared
  std::int32_t act = 40;                     // five to two before anything is done …
  std::int32_t act_beside = 250;             // … three hundred to one beside another root that may explain it
  std::int32_t later = -25;                  // of two that may have hit each other, each second later than the first …
  Duration onset = std::chrono::seconds(5);  // … up to so many; in a circle nothing less says who was first
  std::int32_t earlier = 60;                 // in a circle, the first to fail
  Duration withstood = std::chrono::minutes(5);  // what has gone on so long without a soft dependency needs it no more
  Duration before = std::chrono::minutes(1);     // what has failed so long before a soft dependency is not its doing
};

enum class Role : std::uint8_t {
  root,      // act on it
  excused,   // what it depends on explains it
  look,      // it has to be seen bad again first
  waits,     // an edge that nobody declared may explain it: when the other root is well, it will be seen
  abstains,  // `doubt` says why nothing is done
  tried,     // it was repaired, and that did not help
};

enum class Doubt : std::uint8_t {
  none,
  small_margin,  // another explanation is nearly as good
  unseen,        // what explains it cannot be looked at
  untouchable,   // it is not ours to repair
  circle,        // several depend on each other, and none stands out
};

/// Every number that led to a finding. A score compares "it fails by itself" with the best other explanation.
struct Numbers {
  std::int32_t root = 0;        // it fails by itself, and shows what it shows
  std::int32_t hit = 0;         // what it depends on explains it
  std::int32_t undeclared = 0;  // an edge that nobody declared does
  std::int32_t mistake = 0;     // it does not fail at all
  std::int32_t support = 0;     // what its dependents say for its being bad
  std::uint32_t failing = 0;    // dependents that fail
  std::uint32_t well = 0;       // … that do not
};
inline constexpr std::int32_t kImpossible = -9999;

struct Finding {
  Node node = 0;
  Role role = Role::excused;
  Doubt doubt = Doubt::none;
  Node by = kNobody;    // what explains it: the next step of the walk
  Node root = kNobody;  // … and its end
  std::uint32_t incident = 0;
  std::int32_t score = 0;
  Numbers numbers;
};

/// Alarms that are connected.
struct Incident {
  std::uint32_t first = 0;  // of Report::findings: roots first, then by score
  std::uint32_t count = 0;
};

struct Report {
  std::vector<Finding> findings;  // of all that alarm, and of those unseen that explain an alarm
  std::vector<Incident> incidents;
  std::span<const Finding> of(const Incident& incident) const {
    return std::span(findings).subspan(incident.first, incident.count);
  }
};

std::string_view to_string(Tie tie);
std::string_view to_string(Sign sign);
std::string_view to_string(Role role);
std::string_view to_string(Doubt doubt);

}  // namespace homeostat::diagnosis
