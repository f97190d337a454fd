// journal verify, accept, show
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "api/listener.hpp"
#include "api/past.hpp"
#include "cli/client.hpp"
#include "cli/show.hpp"
#include "engine/record.hpp"
#include "journal/accept.hpp"
#include "journal/check.hpp"

namespace homeostat::cli {
namespace {

journal::KnownTypes known_types() {
  journal::KnownTypes known;
  for (const std::string_view type : engine::known_types()) known[std::string(type)] = 1;
  known["fold"] = 1;
  known["accept"] = 1;
  return known;
}

int verify(const Context& context) {
  const journal::Health health = journal::check_journal(context.state_dir, known_types());
  if (health.fresh) return complain(kUnreachable, "there is no journal in " + context.state_dir);
  const bool ok = health.trust == journal::Trust::ok;
  if (context.json) {
    const json::object answer{{"ok", ok},
                              {"reason", health.reason},
                              {"entries", health.entries},
                              {"first", health.start_seq + 1},
                              {"last", health.last_seq},
                              {"first_bad", health.first_bad},
                              {"epoch", health.epoch}};
    std::printf("%s\n", json::serialize(answer).c_str());
  } else if (ok) {
    std::printf("the journal in %s is good: records %llu to %llu, epoch %llu\n", context.state_dir.c_str(),
                static_cast<unsigned long long>(health.start_seq + 1), static_cast<unsigned long long>(health.last_seq),
                static_cast<unsigned long long>(health.epoch));
  } else {
    std::printf("the journal in %s is not good: %s\n", context.state_dir.c_str(), health.reason.c_str());
    std::printf("good records: %llu, up to number %llu\n", static_cast<unsigned long long>(health.entries),
                static_cast<unsigned long long>(health.last_seq));
    if (health.trust == journal::Trust::untrusted) {
      std::printf("`homeostat journal accept` keeps those and goes on from there\n");
    }
  }
  return ok ? kOk : health.trust == journal::Trust::failed ? kUnreachable : kBad;
}

int accept(const Context& context, bool yes) {
  if (!yes) {
    return complain(kUsage,
                    "this drops every record that is not good; look at `homeostat journal verify` first, "
                    "then say --yes");
  }
  const auto accepted = journal::accept(context.state_dir, api::user_name(::geteuid()), known_types());
  if (!accepted) return complain(kRefused, accepted.error().text);
  if (context.json) {
    const json::object answer{{"reason", accepted->reason},
                              {"kept_from", accepted->kept_from},
                              {"kept_to", accepted->kept_to},
                              {"acknowledged", accepted->acknowledged},
                              {"aside", accepted->aside.string()}};
    std::printf("%s\n", json::serialize(answer).c_str());
  } else {
    std::printf("accepted: %s\nrecords kept: %llu to %llu; the damaged files are in %s\n", accepted->reason.c_str(),
                static_cast<unsigned long long>(accepted->kept_from),
                static_cast<unsigned long long>(accepted->kept_to), accepted->aside.c_str());
  }
  return kOk;
}

int show(const Context& context, api::JournalQuery query) {
  const std::size_t most = query.limit;
  std::size_t shown = 0;
  while (shown < most) {
    query.limit = std::min<std::size_t>(most - shown, 10'000);
    const auto answer = api::read_lines(context.state_dir, query);
    if (!answer) return complain(kUnreachable, answer.error().text);
    for (const json::value& item : list_at(*answer, "lines")) {
      const json::object& line = item.as_object();
      if (context.json)
        std::printf("%s\n", json::serialize(line).c_str());
      else if (!text_at(line, "text", "").empty())
        std::printf("%8s  %s\n", text_at(line, "seq").c_str(), show_line(line, context.color()).c_str());
    }
    const std::size_t got = list_at(*answer, "lines").size();
    shown += got;
    query.after = static_cast<std::uint64_t>(number_at(*answer, "last"));
    if (got < query.limit) break;
  }
  return kOk;
}

}  // namespace

void add_journal_verbs(CLI::App& app, Context& context) {
  CLI::App* journal = app.add_subcommand("journal", "Look after the journal in the state directory");
  journal->require_subcommand(1);
  journal->footer("\nExample: homeostat journal verify");
  add_verb(*journal, context, "verify", "Check every record, the chain and the anchor; works beside a running daemon",
           "homeostat journal verify", [&context] { return verify(context); });
  const auto yes = std::make_shared<bool>(false);
  add_verb(*journal, context, "accept", "Go on from the good part of a damaged journal; no daemon may run",
           "homeostat journal accept --yes", [&context, yes] { return accept(context, *yes); })
      ->add_flag("--yes", *yes, "Yes, drop what is not good (the damaged files are kept aside)");
  const auto query = std::make_shared<api::JournalQuery>();
  CLI::App* verb = add_verb(*journal, context, "show", "Print the records in words, the oldest first",
                            "homeostat journal show --after 1200", [&context, query] { return show(context, *query); });
  verb->add_option("SERVICE", query->service, "Only what concerns this service");
  verb->add_option("--after", query->after, "Only records with a higher number");
  query->limit = 1'000'000;
  verb->add_option("--limit", query->limit, "At most this many")->check(CLI::Range(1, 100'000'000));
}

}  // namespace homeostat::cli
