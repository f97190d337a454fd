// The answer of a server that is looked at: in pieces of any size it means the same as whole, it ends within the
// limits, what is shown of it is harmless, and no redirect can smuggle a second request into the next one.
#include <algorithm>
#include <string>

#include "kit.hpp"
#include "probe/http_parser.hpp"
#include "probe/judge.hpp"
#include "probe/redirect.hpp"
#include "probe/request.hpp"
#include "shown.hpp"

namespace homeostat::fuzz {
namespace {

using probe::HttpParser;
using State = HttpParser::State;

void same(const HttpParser& a, const HttpParser& b) {
  require(a.state() == b.state() && a.status() == b.status(), "in pieces it means what it means whole");
  require(std::string_view(a.complaint()) == b.complaint(), "the complaint does not depend on the pieces");
  if (a.state() == State::too_large) return;  // how much was kept until then does
  require(a.body() == b.body() && a.body_cut() == b.body_cut(), "the body does not depend on the pieces");
  require(a.location() == b.location(), "the location does not depend on the pieces");
}

/// Whatever has come so far, more of it comes to an end.
void ends(HttpParser& parser, char filler) {
  const std::string more(64 << 10, filler);
  std::size_t fed = 0;
  while (parser.feed(more) == State::more) {
    fed += more.size();
    require(fed <= probe::kMaxHead + probe::kMaxBody + 2 * probe::kMaxKept, "an answer without end is given up");
    require(parser.body().size() <= probe::kMaxKept, "no more is kept than the limit");
  }
}

void follow(const HttpParser& parser) {
  probe::HttpSpec from;
  from.host = "127.0.0.1";
  from.port = "80";
  from.path = "/health/live?x=1";
  from.headers = {{"Authorization", "secret"}};
  const auto to = probe::redirected(from, parser.status(), parser.location());
  if (!to) return;
  const bool elsewhere = to->host != from.host || to->port != from.port || to->tls;
  require(!elsewhere || to->headers.empty(), "headers stay with the server they were written for");
  const auto request = probe::request_bytes(*to, true);
  if (!request) return;
  require(request->find("\r\n\r\n") == request->size() - 4, "one request");
  require(std::ranges::count(*request, '\n') == 4 + (elsewhere ? 0 : 1), "no line of the server's in it");
}

void look(std::string_view input, bool head, std::size_t keep) {
  Chance chance(input);
  HttpParser whole;
  whole.reset(head, keep);
  whole.feed(input);
  HttpParser pieces;
  pieces.reset(head, keep);
  in_pieces(input, chance, [&](std::string_view piece) { pieces.feed(piece); });
  same(whole, pieces);
  require(whole.body().size() <= keep, "no more is kept than was asked for");
  require(whole.state() != State::garbage || *whole.complaint() != '\0', "a complaint says what is wrong");
  if (whole.state() == State::more && chance.below(64) == 0) {
    ends(pieces, input.size() % 2 == 0 ? 'x' : '\n');
  }
  whole.end();
  require(whole.state() != State::more, "a closed connection ends every answer");
  require(!whole.reusable() || whole.state() == State::done, "only a whole answer leaves a connection that is usable");
  probe::HttpSpec spec;
  spec.contains = "ok";
  const probe::Finding finding = probe::judge(spec, whole, nullptr, Duration{});
  require(is_harmless(finding.detail), "what is shown is harmless");
  if (whole.state() == State::done) follow(whole);
}

}  // namespace

void run(std::string_view input) {
  look(input, false, probe::kMaxKept);
  look(input, false, 7);
  look(input, true, 0);
}

}  // namespace homeostat::fuzz
