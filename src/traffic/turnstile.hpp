// Who may be connected to HAProxy's runtime socket now.
#pragma once

#include <deque>
#include <memory>
#include <string>

namespace homeostat::traffic {

/// The socket has room for ten connections at once, those of other programs among them, and sends away whoever finds
/// none. Of all who ask it in this thread only a few do so at once; the others wait in the order in which they came.
class Turnstile {
 public:
  /// So many at once: who is served leaves within a millisecond, and people find room, too.
  static constexpr std::size_t kAtOnce = 4;

  class Guest {
   public:
    virtual ~Guest() = default;
    /// It is its turn. Called from within `come`, or when another one leaves.
    virtual void enter() = 0;
  };

  /// The one before the socket of that path.
  static std::shared_ptr<Turnstile> before(const std::string& socket);

  void come(Guest& guest);
  /// It is done, or waits no longer; one that is neither inside nor waiting may leave, too.
  void leave(Guest& guest);

 private:
  void let_in();

  std::deque<Guest*> inside_;
  std::deque<Guest*> waiting_;  // each only once: no more than there are guests
  bool letting_in_ = false;
};

}  // namespace homeostat::traffic
