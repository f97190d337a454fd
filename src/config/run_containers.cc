// The runtimes `docker` and `podman`: containers.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "config/draft.hpp"

namespace homeostat::config {
namespace {

using By = runtime::KeptSpec::By;

struct Containers {
  runtime::KeptSpec spec;
  std::string socket;
  std::string release;
};

Table<Containers> make_table(const std::string& kind, std::string_view socket, std::string_view own_socket) {
  Table<Containers> rows(
      "run." + kind,
      fmt::format(
          "A container of {0}, over its API: Homeostat starts, stops and restarts it, hears at once when it ends, "
          "and makes it anew of another image. What somebody stops with `{0} stop` stays stopped, and while its "
          "restart policy brings it back Homeostat waits.",
          kind));
  rows.add(
      "container", [](Containers& one) -> auto& { return one.spec.unit; }, text_type(),
      {.text = "The container's name. With several instances `{instance}` is filled in; one that is not there yet is "
               "made with the settings of another.",
       .example = "web-{instance}",
       .required = true});
  rows.add("socket", &Containers::socket, path_type(),
           {.text = "The socket of its API.", .fallback = socket, .example = own_socket});
  rows.add("image", [](Containers& one) -> auto& { return one.spec.image; }, text_type(),
           {.text = "The name of the image without its tag, as `inspect` tells it. The tag is the version.",
            .otherwise = "the service has no versions",
            .example = "localhost/web"});
  rows.add("release", &Containers::release, text_type(),
           {.text = "The version to begin with, needed with `image`. Versions deployed later outlive this file.",
            .otherwise = "none",
            .example = "v1"});
  rows.add("timeout", [](Containers& one) -> auto& { return one.spec.timeout; }, duration_type(std::chrono::seconds(1)),
           {.text = "What it has not finished by then has an unknown outcome: longer than the container's own time to "
                    "stop.",
            .fallback = "2m",
            .example = "10m"});
  return rows;
}

const Table<Containers>& docker_table() {
  static const Table<Containers> table = make_table("docker", "/run/docker.sock", "/run/user/1000/docker.sock");
  return table;
}

const Table<Containers>& podman_table() {
  static const Table<Containers> table =
      make_table("podman", "/run/podman/podman.sock", "/run/user/1000/podman/podman.sock");
  return table;
}

bool is_made_of(std::string_view text, std::string_view more) {
  return std::ranges::all_of(text, [&](unsigned char c) {
    return (std::isalnum(c) != 0 && c < 128) || more.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

/// Up to 100, so that there is room for what is added while it is replaced.
bool is_container_name(std::string_view name) {
  std::string plain(name);
  if (const auto at = plain.find(kInstance); at != std::string::npos) plain.replace(at, kInstance.size(), "0");
  return !plain.empty() && plain.size() <= 100 && is_made_of(plain, "_.-") && is_made_of(plain.substr(0, 1), "");
}

void check_image(const Containers& containers, const Node& node, Reader& reader) {
  const std::string& image = containers.spec.image;
  const auto tag = image.rfind(':');
  if (tag != std::string::npos && image.find('/', tag) == std::string::npos) {
    reader.problem(node.where("image"), fmt::format("the tag is the version: `image: {}, release: {}`",
                                                    image.substr(0, tag), image.substr(tag + 1)));
  } else if (!image.empty() && (image.size() > 200 || !is_made_of(image, "_.-/:"))) {
    reader.problem(node.where("image"), fmt::format("{} is no name of an image", quote(image)));
  }
  if (!image.empty() && containers.release.empty()) {
    reader.problem(node.where("image"), "with `image`, the version to begin with is needed: `release: TAG`");
  }
  if (image.empty() && !containers.release.empty()) {
    reader.problem(node.where("release"), "`release` means nothing without `image`");
  }
  if (!is_made_of(containers.release, "_.-") || containers.release.size() > 64) {
    reader.problem(node.where("release"),
                   fmt::format("{} is no tag: up to 64 of A-Z a-z 0-9 . _ -", quote(containers.release)));
  }
}

void finish(Containers& containers, const Node& node, Reader& reader, RunDraft& out) {
  runtime::KeptSpec& spec = containers.spec;
  if (node.find("container") != nullptr && !is_container_name(spec.unit)) {
    reader.problem(node.where("container"),
                   fmt::format("{} is no name of a container: up to 100 of A-Z a-z 0-9 _ . -", quote(spec.unit)));
  }
  if (containers.socket.size() > 107) {
    reader.problem(node.where("socket"), "the path of a socket has at most 107 bytes");
  }
  check_image(containers, node, reader);
  spec.peer = "unix:" + containers.socket;
  Fingerprint print;
  print.add("container").add(spec.peer).add(spec.unit).add(spec.image);
  out.release = containers.release;
  out.plan = {.managed = true,
              .restart = true,
              .start_stop = true,
              .releases = !spec.image.empty(),
              .identity = print.value(),
              .stop_grace = spec.timeout};
  out.spec = std::move(spec);
}

Component<RunDraft> component(By by, std::string key, std::string_view text, const Table<Containers>& (*table)()) {
  return {std::move(key),
          text,
          "{ container: web }",
          {&table().section()},
          [by, table](const Node& node, Reader& reader, RunDraft& out) {
            Containers containers;
            containers.spec.by = by;
            table().read(node, reader, containers);
            finish(containers, node, reader, out);
          }};
}

}  // namespace

Component<RunDraft> docker_run() { return component(By::docker, "docker", "A container of docker.", docker_table); }
Component<RunDraft> podman_run() { return component(By::podman, "podman", "A container of podman.", podman_table); }

}  // namespace homeostat::config
