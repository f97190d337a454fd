// One order to one container: to start, stop or restart it, to make it anew of another image, or to make one more.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/container_api.hpp"
#include "runtime/container_state.hpp"
#include "runtime/keeper.hpp"

namespace homeostat::runtime {

/// The version that an image of the service stands for; empty: it is none of its images.
std::string version_of(const std::string& image, const KeptSpec& spec);

/// What a container is called while another one takes its place.
std::string aside_name(const KeptSpec& spec);

/// To go over to another image, the new container is made first, beside the one that runs. Then that one is stopped and
/// put aside under another name, the new one takes its name and is started, and the old one is removed. When something
/// of it is refused, all goes back. The names tell how far it had come, should Homeostat die in the middle: what was
/// put aside gets its name back before anything else is done, and what was only made is made again.
class ContainerOrder {
 public:
  struct Ended {
    engine::OutcomeKind kind = engine::OutcomeKind::failed;
    std::string detail{};
    std::optional<ContainerState> state{};  // as it was seen last
    bool missing = false;                   // there is none
  };
  using Done = std::move_only_function<void(Ended)>;

  /// `source`: another container of the service, with whose settings one that is not there is made; empty: there is
  /// none. Nothing is called back once this is destroyed.
  ContainerOrder(ContainerApi& api, Order order, KeptSpec spec, std::string source, Instant ends, Done done);
  ContainerOrder(const ContainerOrder&) = delete;
  ContainerOrder& operator=(const ContainerOrder&) = delete;

  void begin();
  Instant ends() const { return ends_; }
  /// Time is up, or it is not to be carried on with.
  void give_up(const std::string& why);

 private:
  enum class Step : std::uint8_t {
    read_settings,
    read_own_words,  // podman's
    read_image,
    clear,  // what an earlier attempt has left under the name of the new one
    clear_old,
    create,
    stop,
    put_aside,
    put_in_place,
    start,
    restart,
    look,
    remove_old,
    remove_new,
    put_back,
    start_old,
  };
  struct Call;

  void look(const std::string& name, std::move_only_function<void(const HttpReply&)> seen);
  void look_aside();
  void judge();
  std::string refusal() const;
  void plan();
  void next();
  Call call_of(Step step) const;
  void took(Step step, const HttpReply& reply);
  void refused(Step step, const std::string& why, int status);
  void go_back(const std::string& why);
  void looked(const HttpReply& reply);
  void end(engine::OutcomeKind kind, const std::string& detail);
  std::string image() const;

  ContainerApi& api_;
  Order order_;
  KeptSpec spec_;
  std::string source_;
  Instant ends_;
  Done done_;
  std::deque<Step> steps_{};
  std::optional<ContainerState> state_{};  // nothing: there is no such container
  std::string settings_{};                 // of the container whose settings are taken
  std::string old_{};                      // the container that is replaced
  std::string new_{};                      // the one that was made
  bool asked_ = false;                     // from here on something may have happened
  bool missing_ = false;                   // there is no such container
  bool ran_ = false;                       // before
  bool aside_ = false;
  bool stopped_ = false;
  std::string why_back_{};  // not empty: it failed, and all goes back
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace homeostat::runtime
