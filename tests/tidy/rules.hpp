// The rules of the tree that no compiler knows. Each returns what breaks it, one line a finding; none: all is well.
#pragma once

#include <string>
#include <vector>

#include "tree.hpp"

namespace tidy {

using Files = std::vector<File>;
using Findings = std::vector<std::string>;

/// At most 500 lines a file, 120 columns a line, 70 lines a function. Pages and generated text are not measured.
Findings long_files(const Files& files);
Findings long_lines(const Files& files);
Findings long_functions(const Files& files);
/// Every folder has a README.md.
Findings folders_without_readme(const Files& files);
/// A room includes only what the picture in ARCHITECTURE.md lets it.
Findings wrong_arrows(const Files& files);
/// The library's headers, core and engine include the standard library and themselves.
Findings foreign_headers(const Files& files);
/// No clock, no chance, no threads, no output in what decides.
Findings impure_decisions(const Files& files);
Findings unguarded_headers(const Files& files);
/// What a source includes first is its own header: so the build shows that the header compiles alone.
Findings own_header_not_first(const Files& files);
/// Nothing is left open, and no path of somebody's machine is written down.
Findings forbidden_words(const Files& files);

}  // namespace tidy
