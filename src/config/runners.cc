#include "config/runners.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "config/secret_names.hpp"

namespace homeostat::config {
namespace {

using Arguments = std::vector<std::string>;
using Runs = Runner::Runs;

constexpr std::size_t kAll = 10'000;

/// Runs the program that stands behind its own options and operands.
struct Wrapper {
  std::string_view name;       // several words: the program and its subcommands
  std::string_view valued{};   // its options that take a value, which may be an argument of its own
  std::size_t operands = 0;    // of its own, before the program
  std::string_view instead{};  // its options that stand for one of these
};

constexpr std::string_view kOfDockerExec =
    "-e -u -w -H -c --env --env-file --user --workdir --detach-keys --host --context";
constexpr std::string_view kOfPodmanExec =
    "-e -u -w -c --env --env-file --user --workdir --detach-keys --connection --url";
constexpr std::string_view kOfComposeExec =
    "-e -u -w -f -p -H -c --env --user --workdir --index --file --project-name --project-directory --profile "
    "--env-file --host --context";
constexpr std::string_view kLatest = "-l --latest";

constexpr Wrapper kWrappers[] = {
    {"env", "-u -C -S --unset --chdir --split-string"},
    {"sudo", "-u -g -C -D -h -p -R -r -t -T -U --user --group --chdir --host --prompt --chroot --role --type"},
    {"doas", "-u -C"},
    {"pkexec", "--user"},
    {"runuser", "-u -g -G -w --user --group --supp-group"},
    {"gosu", "", 1},
    {"timeout", "-k -s --kill-after --signal", 1},
    {"nice", "-n --adjustment"},
    {"nohup"},
    {"setsid"},
    {"setpriv", "--reuid --regid --groups --inh-caps --ambient-caps --bounding-set --securebits"},
    {"stdbuf", "-i -o -e --input --output --error"},
    {"ionice", "-c -n --class --classdata"},
    {"chrt", "-T -P -D --sched-runtime --sched-period --sched-deadline", 1},
    {"taskset", "", 1},
    {"xargs", "-a -d -E -I -L -n -P -s --arg-file --delimiter --max-lines --max-args --max-procs --max-chars"},
    {"systemd-run",
     "-p -u -E -M -H --property --unit --description --slice --uid --gid --setenv --machine --host "
     "--on-active --on-calendar --working-directory --nice"},
    {"sshpass", "-p -f -d -P"},
    {"systemd-cat", "-t -p --identifier --priority"},
    {"chroot", "--userspec --groups", 1},
    {"unshare", "-S -G -R -w --setuid --setgid --root --wd --map-user --map-group"},
    {"nsenter", "-t -S -G --target --setuid --setgid"},
    {"flock", "-w -E -c --wait --timeout --conflict-exit-code --command", 1},
    {"strace", "-o -e -E -p -s -u -a -b -I -O -P -S -X"},
    {"ltrace", "-o -e -p -s -u -a -n -l -A -D -F"},
    {"time", "-f -o --format --output"},
    {"busybox"},
    {"toybox"},
    {"docker exec", kOfDockerExec, 1},
    {"docker container exec", kOfDockerExec, 1},
    {"docker compose exec", kOfComposeExec, 1},
    {"docker-compose exec", kOfComposeExec, 1},
    {"podman exec", kOfPodmanExec, 1, kLatest},
    {"podman container exec", kOfPodmanExec, 1, kLatest},
    {"nerdctl exec", "-e -u -w -a -n -H --env --env-file --user --workdir --address --namespace --host", 1},
    {"crictl exec", "-r --runtime-endpoint --image-endpoint --config --timeout", 1},
    {"ip netns exec", "-n -f -b -netns -family -batch", 1},
    {"machinectl shell", "-E -M -H --setenv --uid --machine --host", 1},
    {"docker run",
     "-e -v -p -u -w -h -m -l -a --env --env-file --volume --publish --user --workdir --name --network "
     "--entrypoint --mount --label --hostname --memory --restart",
     1},
    {"podman run",
     "-e -v -p -u -w -h -m -l -a --env --env-file --volume --publish --user --workdir --name --network "
     "--entrypoint --mount --label --hostname --memory --restart --pod",
     1},
    {"kubectl exec", "-n -c -f --namespace --container --filename --context --kubeconfig --cluster --user", 1},
};

/// Runs code that stands among its arguments.
struct Interpreter {
  std::string_view name;
  std::string_view code{};    // its options of which the value is code, or makes it run something
  std::size_t operands = 0;   // so many of its operands may be code, or name a file with it
  std::string_view valued{};  // its other options that take a value
  bool anywhere = false;      // its name is no common word: it is seen behind programs that are not known, too
  bool first = false;         // its options count before its first operand only
};

constexpr std::string_view kFind = "find";
constexpr std::string_view kShellOptions = "-o -O --rcfile --init-file";
constexpr std::string_view kOfShells = "-c --command";
constexpr std::string_view kOfPython = "-c -m";
constexpr std::string_view kPythonOptions = "-W -X";

constexpr Interpreter kShells[] = {
    {"sh", kOfShells, 1, kShellOptions, true},
    {"bash", kOfShells, 1, kShellOptions, true},
    {"rbash", kOfShells, 1, kShellOptions, true},
    {"dash", kOfShells, 1, kShellOptions, true},
    {"ash", kOfShells, 1, kShellOptions, true},
    {"zsh", kOfShells, 1, kShellOptions, true},
    {"ksh", kOfShells, 1, kShellOptions, true},
    {"mksh", kOfShells, 1, kShellOptions, true},
    {"fish", "-c -C --command --init-command", 1, "", true},
    {"csh", kOfShells, 1, "", true},
    {"tcsh", kOfShells, 1, "", true},
};

constexpr std::string_view kRedisOptions = "-h -p -a -n -u -s --user --pass";
constexpr std::string_view kGitOptions = "-c -C --git-dir --work-tree --namespace";

constexpr Interpreter kInterpreters[] = {
    {"su", "-c --command --session-command", 2, "-s -g -G -w --shell --group --supp-group", true},
    {"runuser", "-c --command --session-command", 1, "-u -s -g -G -w --user --shell --group --supp-group", true},
    {"sg", "-c", 2},
    {"ssh", "", kAll},
    {"autossh", "", kAll},
    {"python", kOfPython, 1, kPythonOptions, true},
    {"python3", kOfPython, 1, kPythonOptions, true},
    {"perl", "-e -E -M -m", 1, "", true},
    {"ruby", "-e -r", 1, "-I", true},
    {"node", "-e -p -r --eval --print --require --import", 1},
    {"php", "-r -B -R -E -F -f -d", 1, "-c -S -t", true},
    {"lua", "-e -l", 1, "", true},
    {"tclsh", "", 1},
    {"expect", "-c -f", 1},
    {"pwsh", "-c -Command -EncodedCommand -File", 1},
    {"awk", "-e -f -i -l --source --file --include --load", 1, "-F -v --field-separator --assign"},
    {"gawk", "-e -f -i -l --source --file --include --load", 1, "-F -v --field-separator --assign"},
    {"mawk", "-f -W --file", 1, "-F -v"},
    {"sed", "-e -f --expression --file", 1, "-l --line-length"},
    {"make", "-f -E --file --makefile --eval", kAll},
    {"watch", "", kAll},
    {"parallel", "", kAll},
    {"flock", "-c --command"},
    {"script", "-c --command"},
    {kFind, "-exec -execdir -ok -okdir"},
    {"psql", "-c -f -v --command --file --set --variable"},
    {"mysql", "-e --execute --init-command"},
    {"mariadb", "-e --execute --init-command"},
    {"sqlite", "-cmd -init", kAll},
    {"mongosh", "--eval --file"},
    {"mongo", "--eval"},
    {"Rscript", "-e", 1},
    {"rabbitmqctl eval", "", 1, "-n -t --node --timeout"},
    {"clickhouse-client", "-q --query --queries-file"},
    {"redis-cli", "--eval"},
    {"redis-cli eval", "", kAll, kRedisOptions},
    {"redis-cli eval_ro", "", kAll, kRedisOptions},
    {"git", "-c --config-env --exec-path", 0, kGitOptions, false, true},
    {"git", "--upload-pack --receive-pack"},
    {"git clone", "-c --config -u", 0, kGitOptions},
    {"tar", "-I -F --checkpoint-action --use-compress-program --to-command --rsh-command --info-script"},
    {"rsync", "-e --rsh --rsync-path"},
    {"scp", "-o -S -F"},
    {"sftp", "-o -S -F -b"},
    {"curl", "-K --config"},
    {"gdb", "-x -ex -ix -iex --command --eval-command"},
    {"vim", "-c -S --cmd"},
    {"ansible", "-a -e --args --extra-vars"},
    {"ansible-playbook", "-e --extra-vars", 1},
    {"systemctl set-environment", "", kAll},
    {"sysctl", "", kAll},
};

/// "/usr/bin/python3.12" is "python".
std::string_view program_of(std::string_view argument) {
  argument.remove_prefix(argument.rfind('/') + 1);
  return argument.substr(0, argument.find_last_not_of("0123456789.-") + 1);
}

bool is_option(std::string_view argument) {
  return !argument.empty() && (argument.front() == '-' || (argument.front() == '+' && argument.size() > 1));
}

/// "A=b", as it may stand before a program.
bool is_assignment(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  return equals != std::string_view::npos && equals > 0;
}

bool lists(std::string_view options, std::string_view one) {
  const auto all = split(options, " ");
  return std::ranges::find(all, one) != all.end();
}

/// What stands behind the first of the options in the argument: nothing behind `--user`, `-u` and `-nu`, "root" behind
/// `-uroot`.
std::optional<std::string_view> behind(std::string_view options, std::string_view argument) {
  if (options.empty() || argument.size() < 2 || !is_option(argument)) return std::nullopt;
  if (lists(options, argument)) return std::string_view();
  if (argument.starts_with("--")) return std::nullopt;
  for (std::size_t i = 1; i < argument.size(); ++i) {
    if (lists(options, std::string("-") + argument[i])) return argument.substr(i + 1);
  }
  return std::nullopt;
}

/// The next argument is the value of this one.
bool takes_value(std::string_view options, std::string_view argument) { return behind(options, argument) == ""; }

/// Where the operand number `count` (from 0) of the program `at` stands.
std::size_t operand(const Arguments& argv, std::size_t at, std::size_t count, std::string_view valued) {
  for (++at; at < argv.size(); ++at) {
    if (is_option(argv[at])) {
      if (takes_value(valued, argv[at])) ++at;
    } else if (count-- == 0) {
      break;
    }
  }
  return std::min(at, argv.size());
}

/// "bash" and "/usr/bin/bash" are "bash"; "/etc/bash" and "bash2" are other words.
std::string_view word_of(std::string_view argument) {
  const std::size_t slash = argument.rfind('/');
  if (slash == std::string_view::npos) return argument;
  return argument.substr(0, slash + 1).ends_with("bin/") ? argument.substr(slash + 1) : std::string_view();
}

/// Some programs take their subcommands in any case.
bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](unsigned char c) { return std::tolower(c); }, [](unsigned char c) { return std::tolower(c); });
}

/// Where the last word of the program's name stands, when it is this one. Where nobody knows that a program stands
/// there, it must be `exact`.
std::optional<std::size_t> is_named(const Arguments& argv, std::size_t at, std::string_view name,
                                    std::string_view valued, bool exact = false) {
  const auto words = split(name, " ");
  if ((exact ? word_of(argv[at]) : program_of(argv[at])) != words.front()) return std::nullopt;
  for (std::size_t i = 1; i < words.size(); ++i) {
    at = operand(argv, at, 0, valued);
    if (at == argv.size() || !same_but_for_case(argv[at], words[i])) return std::nullopt;
  }
  return at;
}

/// How many operands stand before the program of a wrapper of which the name ends `at`.
std::size_t operands_of(const Arguments& argv, std::size_t at, const Wrapper& wrapper) {
  const std::size_t first = operand(argv, at, 0, wrapper.valued);
  for (std::size_t i = at + 1; i < first; ++i) {
    if (!behind(wrapper.valued, argv[i]) && behind(wrapper.instead, argv[i])) return wrapper.operands - 1;
  }
  return wrapper.operands;
}

/// Of a wrapper the program; assignments stand before it.
std::size_t wrapped(const Arguments& argv, std::size_t at, const Wrapper& wrapper) {
  for (std::size_t count = operands_of(argv, at, wrapper);; ++count) {
    const std::size_t found = operand(argv, at, count, wrapper.valued);
    if (found == argv.size() || !is_assignment(argv[found])) return found;
  }
}

template <class Look>
void each_interpreter(Look look) {
  for (const Interpreter& one : kShells) look(one, Runs::shell_code);
  for (const Interpreter& one : kInterpreters) look(one, Runs::code);
}

class Search {
 public:
  Search(const Arguments& argv, std::size_t at) : argv_(argv), at_(at) {}

  Runner result() {
    for (std::size_t next = 0; next < programs_.size() && found_.what == Runs::nothing; ++next) {
      const std::size_t program = programs_[next];
      if (program >= at_) continue;
      for (const Wrapper& wrapper : kWrappers) look_behind(program, wrapper);
      each_interpreter([&](const Interpreter& one, Runs what) { look_into(program, one, what); });
    }
    for (std::size_t i = 1; i < at_; ++i) {
      each_interpreter([&](const Interpreter& one, Runs what) {
        if (one.anywhere) look_into_word(i, one, what);
      });
    }
    return found_;
  }

 private:
  void find(Runs what, std::string_view name) {
    if (found_.what == Runs::nothing) found_ = {what, name};
  }

  void add_program(std::size_t at) {
    if (std::ranges::find(programs_, at) == programs_.end()) programs_.push_back(at);
  }

  void look_behind(std::size_t program, const Wrapper& wrapper) {
    const auto name = is_named(argv_, program, wrapper.name, wrapper.valued);
    if (!name) return;
    const std::size_t next = wrapped(argv_, *name, wrapper);
    if (at_ > *name && at_ <= next) return find(Runs::program, wrapper.name);
    add_program(next);
  }

  void look_into(std::size_t program, const Interpreter& one, Runs what) {
    const auto name = is_named(argv_, program, one.name, one.valued);
    if (!name || *name >= at_) return;
    if (one.name == kFind) look_into_find(*name, one.code);
    look_at_options(*name, one, what);
    look_at_operands(*name, one, what);
  }

  /// A word behind a program that is not known: it may run what it is given.
  void look_into_word(std::size_t word, const Interpreter& one, Runs what) {
    const auto name = is_named(argv_, word, one.name, one.valued, true);
    if (!name || *name >= at_) return;
    look_at_options(*name, one, what);
    if (word < code_at_) look_at_operands(*name, one, what);
  }

  void look_at_options(std::size_t name, const Interpreter& one, Runs what) {
    if (at_ <= name + 1 || !takes_value(one.code, argv_[at_ - 1])) return;
    if (one.first && operand(argv_, name, 0, one.valued) < at_) return;
    find(what, one.name);
  }

  void look_at_operands(std::size_t name, const Interpreter& one, Runs what) {
    if (one.operands == 0) return;
    const std::size_t last = operand(argv_, name, one.operands - 1, one.valued);
    if (at_ <= last) return find(what, one.name);
    code_at_ = std::min(code_at_, last);
  }

  /// Its programs are arguments of its own options, and each has arguments of its own.
  void look_into_find(std::size_t find, std::string_view options) {
    for (std::size_t i = find + 1; i + 1 < at_; ++i) {
      if (takes_value(options, argv_[i])) add_program(i + 1);
    }
  }

  const Arguments& argv_;
  std::size_t at_;
  Runner found_;
  std::size_t code_at_ = kAll;  // of the first of them; what stands behind it is data, whatever it is called
  std::vector<std::size_t> programs_{0};
};

}  // namespace

Runner runner_of(const Arguments& argv, std::size_t at) { return Search(argv, at).result(); }

}  // namespace homeostat::config
