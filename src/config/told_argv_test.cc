// What others say, an alert above all, is data in every command: never a part of an argument, a program, or code.
#include <gtest/gtest.h>

#include "config/load.hpp"

namespace homeostat::config {
namespace {

std::string problem_of(const std::string& text) {
  const auto config = load_text(text, "h.yaml");
  return config ? "" : render(config.error().front());
}

std::string of_rung(const std::string& command) {
  return problem_of(
      "homeostat: 1\nservices: { a: { run: { exec: { restart: [x], status: [x] } }, remediation: [ exec:\n" + command +
      " ] } }\n");
}

std::string of_notifier(const std::string& command) {
  return problem_of(
      "homeostat: 1\nservices: { a: { run: { exec: { restart: [x], status: [x] } } } }\nnotify: { page: { exec:\n" +
      command + " } }\n");
}

TEST(Told, IsAnArgumentOfItsOwn) {
  for (const char* command :
       {"[/bin/relieve, '{alert}', --, '{label_severity}']", "[sh, -c, 'relieve \"$1\"', x, '{label_who}']",
        "[sh, -c, 'relieve \"$HOMEOSTAT_LABEL_WHO\"']", "[bash, -eu, -o, pipefail, -c, 'relieve \"$1\"', x, '{alert}']",
        "[python3, /opt/relieve.py, '{label_who}']", "['/bin/{service}', 'to: {summary}', '{instance}', '{labels}']",
        "[sh, -c, 'relieve {service} {instance} {incident}']", "{ command: [/bin/relieve, '{alert}'] }"}) {
    EXPECT_EQ(of_rung(command), "") << command;
  }
  EXPECT_EQ(of_notifier("[/bin/page, 'to: {summary}']"), "");
}

TEST(Told, IsNeverAPartOfAnArgument) {
  EXPECT_EQ(of_rung("[x, '--x={label_sev}']"),
            "h.yaml:3:5: `{label_sev}` is what an alert says: it can only be an argument of its own; or use the "
            "environment variable HOMEOSTAT_LABEL_SEV");
  for (const char* argument : {"'{alert}!'", "' {alert}'", "'{label_a}{label_b}'", "'{{label_a}'", "'{summary}{alert}'",
                               "'{x{label_a}'", "'{label_a} {label_a}'"}) {
    EXPECT_NE(of_rung(std::string("[x, ") + argument + "]").find("it can only be an argument of its own"),
              std::string::npos)
        << argument;
  }
}

TEST(Told, IsNeverTheProgram) {
  EXPECT_EQ(of_rung("['{label_a}', x]"), "h.yaml:3:2: `{label_a}` is what others say: it cannot be the program");
  EXPECT_EQ(of_rung("['/bin/{summary}']"), "h.yaml:3:2: `{summary}` is what others say: it cannot be the program");
  EXPECT_EQ(of_rung("{ command: ['{alert}'] }"), "h.yaml:3:13: `{alert}` is what others say: it cannot be the program");
}

TEST(Told, IsNeverCode) {
  const std::string problem =
      "h.yaml:3:10: `sh` would run `{label_who}` as code, and others say what it is: use \"$HOMEOSTAT_LABEL_WHO\" in "
      "the code, or give it as an argument of its own behind the code";
  EXPECT_EQ(of_rung("[sh, -c, '{label_who}']"), problem);
  EXPECT_EQ(of_rung("[sh, -c, 'echo {label_who} >> out']"), problem);
  for (const char* command :
       {"[/usr/bin/env, bash, -euc, '{alert}']", "[bash, -o, pipefail, -c, '{alert}']", "[sh, '{alert}', x]",
        "[dash, -c, -e, '{alert}']", "[sh, -c, 'echo {summary}']", "[bash, --, '{alert}']", "[ssh, host, '{alert}']",
        "[python3.12, -c, '{alert}']", "[su, deploy, -c, '{alert}']", "[busybox, sh, -c, '{alert}']"}) {
    EXPECT_NE(of_rung(command).find("as code"), std::string::npos) << command << of_rung(command);
  }
  // Behind the code it is data, whatever stands before it.
  EXPECT_EQ(of_rung("[sh, -c, 'relieve \"$1\"', sh, '{label_name}']"), "");
  EXPECT_NE(of_rung("[sh, -c, 'exec \"$@\"', x, sh, -c, '{label_name}']").find("as code"), std::string::npos);
  EXPECT_NE(of_notifier("[sh, -c, 'mail -s \"{summary}\" root']").find("use \"$HOMEOSTAT_SUMMARY\" in the code"),
            std::string::npos);
}

}  // namespace
}  // namespace homeostat::config
