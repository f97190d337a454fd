// From what was read to what the engine runs on: names become indices, what is left open is decided, and what cannot
// work together is reported.
#pragma once

#include "config/draft.hpp"

namespace homeostat::config {

/// Fills `config.plan` and what belongs to it. It is complete only when the reader has seen no problem.
void resolve(FileDraft& draft, const Node& root, Reader& reader, Config& config);

}  // namespace homeostat::config
