// What the API of docker and podman tells: a container, an event, the events of a run, an image. What comes out of it
// can be shown and asked for again, and the settings of a container become those of another one, or a refusal.
#include <boost/json.hpp>
#include <string>

#include "kit.hpp"
#include "runtime/container_copy.hpp"
#include "runtime/container_events.hpp"
#include "runtime/container_state.hpp"
#include "shown.hpp"

namespace homeostat::fuzz {
namespace {

namespace json = boost::json;

bool is_id(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void judge_container(std::string_view text) {
  const auto state = runtime::read_container(text);
  if (!state) return;
  require(is_id(state->id), "its id can be asked for");
  require(state->image_id.find_first_of("/ \r\n?") == std::string::npos, "its image can be asked for");
  require(state->health_every >= Duration{} && state->stop_within >= Duration{}, "no time is negative");
  require(state->run().none() == (state->started == 0), "a run is one that was started");
  for (const auto by : {runtime::EndedBy::itself, runtime::EndedBy::others, runtime::EndedBy::undecided}) {
    const runtime::Sight sight = runtime::sight_of(*state, by);
    require(is_harmless(sight.detail, 1024), "what is told of it can be shown");
    require((sight.is == runtime::Sight::Is::running) == state->runs(), "it runs when it is told so");
    require(sight.is != runtime::Sight::Is::ended || !state->run().none(), "what ends was started");
  }
}

void judge_copy(std::string_view container, std::string_view image) {
  for (const int instance : {-1, 7}) {
    const auto copy = runtime::copy_settings(container, image, "localhost/new:2", instance);
    if (!copy) {
      require(is_harmless(copy.error().text), "a refusal can be shown");
      continue;
    }
    const json::value made = json::parse(*copy);
    require(made.is_object() && made.at("Image") == "localhost/new:2", "it is made of that image");
    require(made.at("HostConfig").is_object(), "it has settings of the host");
    const bool numbered = copy->find("\"HOMEOSTAT_INSTANCE=7\"") != std::string::npos;
    require(instance < 0 || numbered, "another instance knows its number");
  }
}

}  // namespace

void run(std::string_view input) {
  if (input.empty()) return;
  const int kind = static_cast<unsigned char>(input.front()) % 4;
  input.remove_prefix(1);
  if (kind == 0) judge_container(input);
  if (kind == 1) {
    const std::string id = runtime::made_container(input);
    require(id.empty() || is_id(id), "what was made can be asked for");
  }
  if (kind == 2) {
    const bool podman = !input.empty() && input.front() == '\n';
    const auto story = runtime::read_end(input, 20'000'000'000, podman);
    require(podman || !story.again, "docker tells of its policy in another way");
    require(input.find("stop") != std::string_view::npos || input.find("kill") != std::string_view::npos ||
                input.find("cleanup") != std::string_view::npos || input.find('\\') != std::string_view::npos ||
                !story.told,
            "nobody has stopped it of whom nothing is told");
  }
  const std::size_t line = input.find('\n');
  if (kind == 3) judge_copy(input.substr(0, line), line == std::string_view::npos ? "" : input.substr(line + 1));
}

}  // namespace homeostat::fuzz
