// The built program, run as a user runs it.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "api/json.hpp"
#include "engine/record.hpp"
#include "journal/journal.hpp"
#include "journal/testing.hpp"

namespace homeostat::cli {
namespace {

namespace json = boost::json;
using api::parse_object;

struct Ran {
  int exit = -1;
  std::string out;
  std::string err;
};

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Cli : public ::testing::Test {
 protected:
  Ran run(const std::string& arguments) {
    const std::string out = file("out");
    const std::string err = file("err");
    const std::string command = std::string("HOMEOSTAT_STATE_DIR='") + file("state") + "' HOMEOSTAT_SOCKET= TZ=UTC '" +
                                HOMEOSTAT_BINARY + "' " + arguments + " >'" + out + "' 2>'" + err + "' </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(out), read_text(err)};
  }
  std::string file(const std::string& name) const { return (dir_.path() / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }

  /// A journal with one incident of `web` that was repaired, left by a daemon that is gone.
  void make_journal() {
    std::filesystem::create_directory(file("state"));
    auto journal = journal::Journal::open(file("state"), journal::small());
    ASSERT_TRUE(journal) << journal.error().text;
    std::vector<journal::Entry> entries;
    const auto add = [&](std::int64_t ms, const engine::Body& body) {
      entries.push_back({.seq = (*journal)->health().last_seq + entries.size() + 1,
                         .type = std::string(engine::type_of(body)),
                         .critical = engine::critical(body),
                         .at = Instant(std::chrono::milliseconds(ms)),
                         .wall_ns = 1'795'334'400'000'000'000 + ms * 1'000'000,
                         .generation = 1,
                         .payload = engine::encode(body)});
    };
    const Instant first{std::chrono::seconds(9)};
    const Instant again{std::chrono::seconds(12)};
    add(1'000, engine::ConfigLoaded{1, {"web"}});
    add(2'000, engine::InstanceChanged{"web", 0, engine::RunState::running, {42, 1, 1}, "v1", 8080, 1, ""});
    add(10'000, engine::IncidentFailing{1, "web", 0, "alive", first, true, false, "answered 500"});
    add(13'000, engine::IncidentRecovering{1, "web", 0, again});
    add(13'000, engine::IncidentClosed{1, "web", engine::Ending::recovered, again});
    add(14'000, engine::Escalated{{1, 9}, 1, "web", "oncall", "please look"});
    const std::uint64_t last = entries.back().seq;
    ASSERT_TRUE((*journal)->append(std::move(entries)));
    ASSERT_TRUE(journal::wait_durable(**journal, last));
  }

  journal::TempDir dir_;
};

constexpr const char* kGood = R"(homeostat: 1
services:
  web:
    run: { process: { command: [/bin/sleep, "1000"] } }
    checks:
      alive: { tcp: { port: 80 } }
    remediation:
      - restart: { attempts: 2 }
)";

TEST_F(Cli, EveryVerbHasHelpWithAnExample) {
  for (const char* verb : {"run",
                           "validate",
                           "schema",
                           "status",
                           "why",
                           "history",
                           "stats",
                           "check",
                           "start",
                           "stop",
                           "restart",
                           "deploy",
                           "pause",
                           "resume",
                           "ack",
                           "approve",
                           "unlock",
                           "remediate",
                           "reload",
                           "journal",
                           "journal verify",
                           "journal accept",
                           "journal show",
                           "version",
                           "completion"}) {
    const Ran help = run(std::string(verb) + " --help");
    EXPECT_EQ(help.exit, 0) << verb;
    EXPECT_NE(help.out.find("Example: homeostat " + std::string(verb)), std::string::npos) << help.out;
  }
  EXPECT_NE(run("--help").out.find("Exit codes"), std::string::npos);
}

TEST_F(Cli, AWrongCommandLineIsTwo) {
  for (const char* wrong : {"", "nonsense", "status --nonsense", "why", "deploy web", "pause", "stop web/x",
                            "stop a/b/c", "completion tcsh", "history --limit 0", "journal", "journal accept"}) {
    EXPECT_EQ(run(wrong).exit, 2) << wrong;
  }
}

TEST_F(Cli, VersionAndSchema) {
  EXPECT_TRUE(run("version").out.starts_with("homeostat 0."));
  EXPECT_TRUE(parse_object(run("version --json").out));
  const auto schema = parse_object(run("schema").out);
  ASSERT_TRUE(schema);
  EXPECT_TRUE(schema->contains("$schema"));
}

TEST_F(Cli, ValidateSumsUpAGoodFile) {
  write("good.yaml", kGood);
  const Ran good = run("validate " + file("good.yaml"));
  EXPECT_EQ(good.exit, 0) << good.err;
  EXPECT_NE(good.out.find("1 service"), std::string::npos) << good.out;
  EXPECT_NE(good.out.find("restart x2"), std::string::npos) << good.out;
  const auto as_json = parse_object(run("validate --json " + file("good.yaml")).out);
  ASSERT_TRUE(as_json);
  EXPECT_EQ(as_json->at("services").at(0).at("name"), "web");
}

TEST_F(Cli, ValidateSaysWhereAFileIsWrong) {
  std::string text = kGood;
  text.replace(text.find("attempts"), 8, "atempts");
  write("bad.yaml", text);
  const Ran bad = run("validate " + file("bad.yaml"));
  EXPECT_EQ(bad.exit, 2);
  EXPECT_NE(bad.err.find(file("bad.yaml") + ":8:"), std::string::npos) << bad.err;
  EXPECT_NE(bad.err.find("did you mean `attempts`?"), std::string::npos) << bad.err;
  const auto as_json = parse_object(run("validate --json " + file("bad.yaml")).out);
  ASSERT_TRUE(as_json);
  EXPECT_EQ(as_json->at("problems").at(0).at("line"), 8);
  EXPECT_EQ(run("validate " + file("nowhere.yaml")).exit, 2);
}

TEST_F(Cli, GraphDrawsWhichServiceNeedsWhich) {
  write("tiers.yaml",
        "homeostat: 1\n"
        "services:\n"
        "  api: { run: { process: { command: [serve] } }, depends_on: [db, { soft: cache }] }\n"
        "  cache: { run: { process: { command: [cache] } } }\n"
        "  db: { checks: { alive: { tcp: { host: db.example, port: 5432 } } } }\n");
  const std::string verb = "graph " + file("tiers.yaml");
  const Ran text = run(verb);
  ASSERT_EQ(text.exit, 0) << text.err;
  EXPECT_NE(text.out.find("\"api\" -> \"cache\" [style=dotted, label=\"soft\"];"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("\"db\" [style=\"rounded,dashed\"];"), std::string::npos) << "not ours: " << text.out;
  const auto as_json = parse_object(run(verb + " --json").out);
  ASSERT_TRUE(as_json);
  EXPECT_EQ(as_json->at("edges").at(0).at("to"), "db");
  EXPECT_EQ(as_json->at("edges").at(1).at("tie"), "soft");
  const Ran drawn = run(verb + " --svg");
  ASSERT_EQ(drawn.exit, 0) << drawn.err;
  EXPECT_NE(drawn.out.find("<title>api&#45;&gt;db</title>"), std::string::npos) << drawn.out;
  EXPECT_TRUE(drawn.out.ends_with("</svg>\n"));
  const std::string path = std::getenv("PATH");
  ASSERT_EQ(::setenv("PATH", file("nothing").c_str(), 1), 0);
  const Ran without_dot = run(verb + " --svg");
  ASSERT_EQ(::setenv("PATH", path.c_str(), 1), 0);
  EXPECT_EQ(without_dot.exit, 1);
  EXPECT_NE(without_dot.err.find("apt install graphviz"), std::string::npos) << without_dot.err;
}

TEST_F(Cli, WithoutDaemonAndJournalItIsThree) {
  for (const char* verb : {"status", "why web", "history", "stats", "check web", "stop web", "deploy web v2", "reload",
                           "pause --for 1m", "journal verify", "journal show"}) {
    const Ran gone = run(verb);
    EXPECT_EQ(gone.exit, 3) << verb << gone.err;
    EXPECT_TRUE(gone.err.starts_with("homeostat: ")) << verb << gone.err;
  }
}

TEST_F(Cli, WithoutDaemonTheJournalIsRead) {
  make_journal();
  const std::string said = "homeostat: daemon not running; read from the journal in " + file("state") + "\n";
  const Ran status = run("status");
  EXPECT_EQ(status.exit, 0) << status.err;
  EXPECT_EQ(status.err, said);
  EXPECT_NE(status.out.find("web"), std::string::npos);
  EXPECT_NE(status.out.find("escalation 1-9"), std::string::npos) << status.out;
  const Ran why = run("why web");
  EXPECT_EQ(why.exit, 0);
  EXPECT_EQ(why.err, said);
  EXPECT_NE(why.out.find("web/0 failed check alive: answered 500"), std::string::npos) << why.out;
  const Ran history = run("history");
  EXPECT_EQ(history.err, said);
  EXPECT_NE(history.out.find("detected after 1.0s, repaired after 3.0s"), std::string::npos) << history.out;
  const Ran stats = run("stats");
  EXPECT_EQ(stats.err, said);
  EXPECT_NE(stats.out.find("3.0s"), std::string::npos) << stats.out;
  EXPECT_EQ(run("status nope").exit, 4);
  EXPECT_EQ(run("status --exit-code").exit, 1);  // nobody looks, so nothing is healthy
}

TEST_F(Cli, AnswersForProgramsAreJson) {
  make_journal();
  for (const char* verb : {"status", "why web", "history", "stats", "journal verify"}) {
    EXPECT_TRUE(parse_object(run(std::string(verb) + " --json").out)) << verb;
  }
  const auto history = parse_object(run("history --json --incident 1").out);
  ASSERT_TRUE(history);
  EXPECT_EQ(history->at("incidents").at(0).at("repaired_after_ms"), 3'000);
}

TEST_F(Cli, NoColoursWhereNobodySeesThem) {
  make_journal();
  EXPECT_EQ(run("history").out.find('\x1b'), std::string::npos);
}

TEST_F(Cli, TheJournalIsShownAndVerified) {
  make_journal();
  const Ran verify = run("journal verify");
  EXPECT_EQ(verify.exit, 0) << verify.out << verify.err;
  EXPECT_NE(verify.out.find("is good: records 1 to"), std::string::npos) << verify.out;
  const Ran show = run("journal show");
  EXPECT_NE(show.out.find("configuration generation 1 with 1 service"), std::string::npos) << show.out;
  EXPECT_EQ(run("journal show --after 100000").out, "");
}

TEST_F(Cli, ADamagedJournalIsOneAndAcceptLeadsBack) {
  make_journal();
  std::filesystem::resize_file(file("state/journal.db"), 0);
  std::filesystem::remove(file("state/journal.db-wal"));
  EXPECT_EQ(run("journal verify").exit, 1);
  const Ran accept = run("journal accept --yes");
  EXPECT_EQ(accept.exit, 0) << accept.err;
  EXPECT_EQ(run("journal verify").exit, 0);
}

TEST_F(Cli, CompletionKnowsTheVerbsAndTheirOptions) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Ran script = run(std::string("completion ") + shell);
    EXPECT_EQ(script.exit, 0);
    for (const char* word : {"deploy", "history", "follow", "journal", "verify"}) {
      EXPECT_NE(script.out.find(word), std::string::npos) << shell << " " << word;
    }
  }
}

TEST_F(Cli, TheBashCompletionWorks) {
  write("completion.bash", run("completion bash").out);
  const std::string ask = "bash -c '. " + file("completion.bash") +
                          "; COMP_WORDS=(homeostat histo); COMP_CWORD=1; _homeostat; echo \"${COMPREPLY[@]}\"' >" +
                          file("reply");
  ASSERT_EQ(std::system(ask.c_str()), 0);
  EXPECT_EQ(read_text(file("reply")), "history\n");
}

TEST_F(Cli, RunRefusesAWrongConfiguration) {
  write("bad.yaml", "homeostat: 1\nservices: 7\n");
  const Ran bad = run("run --config " + file("bad.yaml"));
  EXPECT_EQ(bad.exit, 2);
  EXPECT_NE(bad.err.find("bad.yaml:2:"), std::string::npos) << bad.err;
  EXPECT_FALSE(std::filesystem::exists(file("state/journal.db")));
}

TEST_F(Cli, TestPlaysScenarios) {
  const std::string config =
      "homeostat: 1\n"
      "services: { web: { run: { process: { command: [serve] } }, checks: { alive: { tcp: { port: 80 } } } } }\n";
  write("web.yaml", config);
  const std::string head = "# crashes are repaired\nconfig from web.yaml\nevents\n  at 10s web crashes\n";
  write("good.scn", head + "  at 10s expect restart of web verified within 5s\n");
  Ran ran = run("test --json '" + file("good.scn") + "'");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_TRUE(parse_object(ran.out)->at("passed").as_bool()) << ran.out;
  write("bad.scn", head + "  at 10s expect web is healthy\n");
  ran = run("test '" + file("bad.scn") + "'");
  EXPECT_EQ(ran.exit, 1);
  EXPECT_NE(ran.out.find("bad.scn:5:17: at 10s expect web is healthy\n  instead: at 10.000s: it is "),
            std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find("10.000s  - web crashes"), std::string::npos) << "the timeline: " << ran.out;
  write("typo.scn", head + "  at 10s expect web is helthy\n");
  ran = run("test '" + file("") + "'");
  EXPECT_EQ(ran.exit, 2) << "one that cannot be read";
  EXPECT_NE(ran.out.find("(did you mean `healthy`?)"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("1 passed, 2 failed\n"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace homeostat::cli
