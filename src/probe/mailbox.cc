#include "probe/mailbox.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>

namespace homeostat::probe {

std::expected<std::unique_ptr<Mailbox>, Error> Mailbox::open(os::Loop& loop, std::function<void(Letter&&)> deliver) {
  os::Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return fail(std::string("cannot create an event descriptor: ") + std::strerror(errno));
  std::unique_ptr<Mailbox> box(new Mailbox(loop, std::move(event), std::move(deliver)));
  if (auto added = loop.add(box->event_.get(), EPOLLIN, *box); !added) return std::unexpected(added.error());
  return box;
}

Mailbox::~Mailbox() { loop_.remove(event_.get(), *this); }

void Mailbox::post(Letter letter) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = letters_.empty();
    letters_.push_back(std::move(letter));
  }
  if (first) ::eventfd_write(event_.get(), 1);
}

void Mailbox::ready(std::uint32_t) {
  eventfd_t count = 0;
  ::eventfd_read(event_.get(), &count);
  std::vector<Letter> letters;
  {
    const std::lock_guard lock(mutex_);
    letters.swap(letters_);
  }
  for (Letter& letter : letters) deliver_(std::move(letter));
}

}  // namespace homeostat::probe
