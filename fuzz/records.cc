// The journal's payloads, as they come from the disk. The first line names the type; a payload that is understood is
// written again as it was meant, and can be applied to the state.
#include <string>

#include "engine/durable.hpp"
#include "engine/record.hpp"
#include "kit.hpp"

namespace homeostat::fuzz {
namespace {

void fold(const engine::Record& record, std::string_view payload) {
  engine::Durable durable;
  durable.apply(record);
  const std::string text = durable.fold();
  engine::Durable again;
  require(engine::Durable::unfold(text, again) && again.fold() == text, "a fold is read back");
  if (engine::Durable::unfold(payload, again)) {
    const std::string canonical = again.fold();
    require(engine::Durable::unfold(canonical, again) && again.fold() == canonical, "any fold is read back");
    again.apply(record);
  }
}

}  // namespace

void run(std::string_view input) {
  const std::string_view type = input.substr(0, input.find('\n'));
  const std::string_view payload = input.substr(std::min(input.size(), type.size() + 1));
  const auto body = engine::decode(type, payload);
  if (!body) {
    engine::Durable durable;
    if (type == "fold" && engine::Durable::unfold(payload, durable)) {
      fold({durable.seq, durable.last_at, 1, engine::EpochBegan{}}, payload);
    }
    return;
  }
  require(engine::type_of(*body) == type, "it is of the type that was asked for");
  const std::string text = engine::encode(*body);
  const auto again = engine::decode(type, text);
  require(again && engine::encode(*again) == text, "what was written is read back");
  fold({1, Instant{}, 1, *body}, payload);
}

}  // namespace homeostat::fuzz
