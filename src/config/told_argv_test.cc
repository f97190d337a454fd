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

// What stands before the program of such a one is its own; behind it is data.
TEST(Told, IsNeverTheProgramOfAWrapper) {
  const std::string problem =
      "h.yaml:3:7: `env` could take `{label_who}` for the program to run or for a setting of its own, and others say "
      "what it is: give it behind the program, or let a program of yours read the environment variable "
      "HOMEOSTAT_LABEL_WHO";
  EXPECT_EQ(of_rung("[env, '{label_who}']"), problem);
  for (const char* wrapper : {"env",
                              "/usr/bin/env, -i, A=b",
                              "env, -u, A",
                              "env, -",
                              "sudo",
                              "sudo, -u, www",
                              "sudo, -nu, www",
                              "sudo, -uwww",
                              "sudo, --user, www, A=b",
                              "doas, -u, www",
                              "pkexec, --user, www",
                              "runuser, -u, www, --",
                              "gosu, www",
                              "timeout, '5'",
                              "timeout, -k, '1', '5'",
                              "timeout, --kill-after=1, '5'",
                              "nice",
                              "nice, -n, '5'",
                              "nice, -n5",
                              "nohup",
                              "setsid, -w",
                              "setpriv, --reuid, www",
                              "stdbuf, -oL",
                              "stdbuf, -o, L",
                              "ionice, -c, '2', -n, '3'",
                              "chrt, -r, '5'",
                              "taskset, '0x3'",
                              "xargs, -n, '1'",
                              "systemd-run, -p, MemoryMax=1G",
                              "systemd-cat, -t, x",
                              "chroot, /srv",
                              "unshare, -n",
                              "nsenter, -t, '7', -m",
                              "flock, /run/x",
                              "flock, -w, '5', /run/x",
                              "strace, -o, /x",
                              "ltrace, -o, /x",
                              "time, -f, '%e'",
                              "busybox",
                              "toybox",
                              "docker, exec, -u, www, box",
                              "docker, -H, 'unix:///x', exec, -it, box",
                              "podman, exec, box",
                              "docker, run, --rm, -v, '/a:/b', image",
                              "podman, run, image",
                              "kubectl, -n, web, exec, pod, -c, app, --",
                              "nice, env, A=b, sudo, -u, www"}) {
    const std::string text = of_rung(std::string("[") + wrapper + ", '{label_who}', x]");
    EXPECT_NE(text.find("for the program to run"), std::string::npos) << wrapper << text;
    EXPECT_EQ(of_rung(std::string("[") + wrapper + ", /bin/relieve, -x, '{label_who}']"), "") << wrapper;
  }
  for (const char* own :
       {"sudo, -u, '{label_who}', x", "timeout, '{alert}', x", "chroot, '{alert}', x", "systemd-run, -p, '{alert}', x",
        "docker, exec, -e, '{alert}', box, x", "env, -S, '{alert}'", "flock, /x, -c, '{alert}'",
        "find, /srv, -exec, '{alert}', ';'", "find, /srv, -exec, sudo, '{alert}', ';'", "env, 'A={summary}', x"}) {
    EXPECT_NE(of_rung(std::string("[") + own + "]"), "") << own;
  }
  for (const char* data : {"docker, restart, '{label_box}'", "systemctl, restart, '{label_unit}'",
                           "find, /srv, -exec, rm, '{alert}', ';'", "kubectl, delete, pod, '{label_pod}'",
                           "/bin/relieve, env, '{label_who}'", "/bin/relieve, watch, '{label_who}'"}) {
    EXPECT_EQ(of_rung(std::string("[") + data + "]"), "") << data;
  }
}

// The loader and the shell obey some variables: their values are code. Alerts get to variables of a fixed name only.
TEST(Told, IsNeverAVariableThatIsObeyed) {
  for (const char* variable : {"LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "BASH_ENV", "ENV", "IFS", "PYTHONPATH"}) {
    const std::string set = std::string("'") + variable + "={label_who}'";
    EXPECT_NE(of_rung("[env, " + set + ", /bin/relieve]"), "") << variable;
    EXPECT_NE(of_rung("[sudo, " + set + ", /bin/relieve]"), "") << variable;
    EXPECT_NE(of_rung("[docker, exec, -e, " + set + ", box, /bin/relieve]"), "") << variable;
    EXPECT_NE(of_rung("{ command: [/bin/relieve], env: { " + std::string(variable) + ": '{label_who}' } }"), "");
  }
  EXPECT_NE(of_rung("[env, '{label_who}', /bin/relieve]"), "");
  EXPECT_NE(of_rung("[systemctl, set-environment, '{label_who}']"), "");
}

constexpr const char* kBeforeCode[] = {"bash, -ec",
                                       "fish, -c",
                                       "fish, -C",
                                       "su, -c",
                                       "su, -, www, -c",
                                       "su, www",
                                       "runuser, www, -c",
                                       "ssh, host",
                                       "ssh, -p, '22', host, x",
                                       "python3, -c",
                                       "python3, -m",
                                       "python3, -W, ignore",
                                       "perl, -e",
                                       "perl, -ne",
                                       "ruby, -e",
                                       "ruby, -r",
                                       "node, -e",
                                       "node, --eval",
                                       "node",
                                       "php, -r",
                                       "lua5.4, -e",
                                       "tclsh",
                                       "expect, -c",
                                       "pwsh, -Command",
                                       "awk",
                                       "awk, -F, ':'",
                                       "gawk, -f",
                                       "mawk",
                                       "sed",
                                       "sed, -n",
                                       "sed, -i, -e",
                                       "sed, -f",
                                       "make",
                                       "make, -C, /srv",
                                       "watch",
                                       "watch, -n, '1', x",
                                       "parallel",
                                       "script, -c",
                                       "psql, -d, web, -c",
                                       "psql, -f",
                                       "psql, -v",
                                       "mysql, -u, root, -e",
                                       "mariadb, --execute",
                                       "sqlite3, /x.db",
                                       "mongosh, --eval",
                                       "clickhouse-client, -q",
                                       "redis-cli, eval",
                                       "redis-cli, -p, '1', eval",
                                       "git, -c",
                                       "git, clone, --upload-pack",
                                       "tar, -xf, x, -I",
                                       "tar, --checkpoint-action",
                                       "rsync, -e",
                                       "rsync, -ae",
                                       "scp, -o",
                                       "sftp, -b",
                                       "curl, -K",
                                       "gdb, -ex",
                                       "vim, -c",
                                       "ansible, all, -a",
                                       "ansible-playbook",
                                       "ansible-playbook, x.yml, -e",
                                       "sysctl, -w",
                                       "sudo, -u, www, sed",
                                       "timeout, '5', psql, -c",
                                       "unknown, perl, -e",
                                       "find, /srv, -exec, sh, -c",
                                       "busybox, awk"};

TEST(Told, IsNotTheCodeOfAnInterpreter) {
  EXPECT_EQ(
      of_rung("[psql, -c, '{label_who}']"),
      "h.yaml:3:12: `psql` would run `{label_who}` as code, and others say what it is: let a program of yours read "
      "the environment variable HOMEOSTAT_LABEL_WHO");
  for (const char* code : kBeforeCode) {
    const std::string text = of_rung(std::string("[") + code + ", '{label_who}']");
    EXPECT_NE(text.find("as code"), std::string::npos) << code << text;
  }
  for (const char* data :
       {"awk, '{ print }', ", "awk, -f, x.awk, ", "sed, -i, s/a/b/, ", "sed, -e, s/a/b/, ", "psql, -d, ",
        "python3, -m, relieve, ", "perl, -e, 'print', ", "git, fetch, --, ", "tar, -tf, ", "rsync, -a, ", "curl, -d, ",
        "su, www, -c, 'relieve \"$1\"', x, ", "node, relieve.js, "}) {
    EXPECT_EQ(of_rung(std::string("[") + data + "'{label_who}']"), "") << data;
  }
}

// A word that a program gets is not what runs it, only because it is called like one.
TEST(Told, IsNoCodeBehindAWordThatOnlyLooksLikeAnInterpreter) {
  for (const char* data : {"kubectl, delete, node, --, ", "page, --from, node1, ", "page, --from, sh1, ",
                           "logger, -t, ssh, ", "tar, -czf, /x, /etc/ssh, ", "tar, -czf, /x, /etc/bash, "}) {
    EXPECT_EQ(of_rung(std::string("[") + data + "'{label_who}']"), "") << data;
  }
  for (const char* code :
       {"unknown, bash, -c", "unknown, /bin/sh, -c", "unknown, /usr/local/bin/bash, -c", "unknown, python3, -c",
        "unknown, python, -c", "node, -e", "ssh, host", "sshpass, -f, /x, ssh, host", "/opt/node20, -e"}) {
    EXPECT_NE(of_rung(std::string("[") + code + ", '{label_who}']").find("as code"), std::string::npos) << code;
  }
}

TEST(Told, IsNoCodeBehindAnOptionOfAnotherProgram) {
  for (const char* data : {"page, script, -c, ", "page, vim, -c, ", "git, switch, -c, ", "podman, exec, -l, relieve, ",
                           "podman, exec, -it, --latest, relieve, ", "podman, exec, -itl, relieve, "}) {
    EXPECT_EQ(of_rung(std::string("[") + data + "'{label_who}']"), "") << data;
  }
  for (const char* code : {"git, -C, /srv, -c", "git, -c, a=b, -c", "git, clone, -c", "git, -C, /srv, clone, -u"}) {
    EXPECT_NE(of_rung(std::string("[") + code + ", '{label_who}']").find("as code"), std::string::npos) << code;
  }
  for (const char* program : {"podman, exec, -l", "podman, exec, -u, www, box", "podman, exec, -ul, box"}) {
    EXPECT_NE(of_rung(std::string("[") + program + ", '{label_who}']").find("for the program to run"),
              std::string::npos)
        << program;
  }
}

TEST(Told, IsNeitherTheProgramNorTheCodeOfASubcommand) {
  for (const char* wrapper :
       {"docker, compose, exec, web", "docker, compose, -f, x.yml, exec, -T, -u, www, web", "docker-compose, exec, web",
        "docker, container, exec, -it, box", "podman, container, exec, box", "nerdctl, -n, web, exec, box",
        "crictl, exec, -i, box", "ip, netns, exec, blue", "ip, -n, red, netns, exec, blue", "machinectl, shell, box"}) {
    const std::string text = of_rung(std::string("[") + wrapper + ", '{label_who}', x]");
    EXPECT_NE(text.find("for the program to run"), std::string::npos) << wrapper << text;
    EXPECT_EQ(of_rung(std::string("[") + wrapper + ", /bin/relieve, '{label_who}']"), "") << wrapper;
    EXPECT_NE(of_rung(std::string("[") + wrapper + ", sh, -c, '{label_who}']").find("as code"), std::string::npos);
  }
  for (const char* code :
       {"redis-cli, EVAL", "redis-cli, -p, '1', Eval_RO", "redis-cli, --eval", "sg, www, -c", "sg, www",
        "mongo, --eval", "rabbitmqctl, eval", "rabbitmqctl, -n, rabbit, eval", "Rscript, -e", "Rscript"}) {
    const std::string text = of_rung(std::string("[") + code + ", '{label_who}']");
    EXPECT_NE(text.find("as code"), std::string::npos) << code << text;
  }
  for (const char* data : {"docker, compose, restart, ", "redis-cli, DEL, ", "rabbitmqctl, delete_queue, ",
                           "ip, netns, delete, ", "Rscript, relieve.R, "}) {
    EXPECT_EQ(of_rung(std::string("[") + data + "'{label_who}']"), "") << data;
  }
}

TEST(Told, IsBounded) {
  std::string many = "[/bin/relieve";
  for (int i = 0; i < 256; ++i) many += ", '{alert}'";
  EXPECT_EQ(of_rung(many + "]"), "h.yaml:3:1: a command has at most 256 arguments");
}

TEST(Filled, WhatIsFilledInElsewhereOnlyIsReported) {
  EXPECT_EQ(of_rung("[/bin/relieve, '--port={port}']"),
            "h.yaml:3:16: `{port}` is not filled in here: what is, is `{service}`, `{instance}`, `{action}`, "
            "`{incident}`, `{summary}`, `{alert}`, `{label_NAME}`");
  EXPECT_EQ(of_rung("[sh, -c, 'echo ${service} ${port} {x} {}']"),
            "h.yaml:3:10: `{service}` is filled in before a shell could see it: write `$HOMEOSTAT_SERVICE`");
  EXPECT_EQ(of_rung("[sh, -c, 'echo ${port} {x} {} { print }']"), "");
  EXPECT_NE(of_notifier("[/bin/page, '{label_severity}']").find("not filled in here"), std::string::npos);
  EXPECT_NE(of_notifier("[/bin/page, '{instance}']").find("not filled in here"), std::string::npos);
  EXPECT_EQ(of_notifier("[/bin/page, '{service}', '{incident}', '{escalation}', '{attempt}', '{key}']"), "");
}

std::string of_runtime(const std::string& commands) {
  return problem_of("homeostat: 1\nservices: { a: { run: { exec:\n{ status: [x], " + commands + " } } } }\n");
}

TEST(Filled, InEveryCommandWhatItIsAbout) {
  EXPECT_EQ(of_runtime("restart: [ctl, '{service}', '{instance}', '{action}', '{version}']"), "");
  EXPECT_EQ(of_runtime("scale: [ctl, '{service}', '{count}', '{action}'], count: [ctl, '{service}']"), "");
  EXPECT_EQ(of_runtime("restart: [ctl, '{count}']"),
            "h.yaml:3:31: `{count}` is not filled in here: what is, is `{service}`, `{instance}`, `{action}`, "
            "`{version}`");
  EXPECT_NE(of_runtime("scale: [ctl, '{instance}']"), "");
  EXPECT_NE(problem_of("homeostat: 1\nservices: { a: { run: { exec: { status: [ctl, '{service}'] } } } }\n"), "");
  EXPECT_NE(problem_of("homeostat: 1\nservices: { a: { checks: { c: { exec: [look, '{service}'] } } } }\n"), "");
}

std::string of_check(const std::string& argument) {
  return problem_of(
      "homeostat: 1\nservices: { a: { run: { process: { command: [x], ports: 1-2 } }, checks: { c: { exec:\n[look, " +
      argument + "] } } } }\n");
}

// Languages of queries have braces, too.
TEST(Filled, TextsThatOnlyLookLikePlaceholdersAreLeftAlone) {
  for (const char* text :
       {"'kube_pod_labels{label_app=\"web\"}'", "'{count}|tostring'", "'{key}'", "'{label_app}'", "'{stage, from}'"}) {
    EXPECT_EQ(of_check(text), "") << text;
  }
  EXPECT_EQ(of_rung("[relieve, 'kube_pod_labels{label_app=\"web\"}', '{label_app=\"web\"}']"), "");
  EXPECT_NE(of_check("'{service}'").find("not filled in here"), std::string::npos);
  EXPECT_NE(of_check("'{action}'").find("not filled in here"), std::string::npos);
}

// What looks gets no variables.
TEST(Filled, WhatLooksHasNoVariables) {
  EXPECT_EQ(of_check("'${port}'"),
            "h.yaml:3:8: `{port}` is filled in before a shell could see it: write `{port}` "
            "without the `$`");
  EXPECT_EQ(
      problem_of("homeostat: 1\nservices: { a: { run: { exec: { restart: [x], status:\n['${instance}'] } } } }\n"),
      "h.yaml:3:2: `{instance}` is filled in before a shell could see it: write `{instance}` without the `$`");
}

}  // namespace
}  // namespace homeostat::config
