// version, completion
#include <cstdio>
#include <memory>

#include "api/json.hpp"
#include "cli/completion.hpp"
#include "cli/context.hpp"
#include "daemon/build_id.hpp"

namespace homeostat::cli {

void add_shell_verbs(CLI::App& app, Context& context) {
  add_verb(app, context, "version", "Print the version and the build", "homeostat version", [&context] {
    const std::string build = daemon::build_id();
    const std::string text =
        context.json ? boost::json::serialize(boost::json::object{{"version", build}}) : "homeostat " + build;
    std::printf("%s\n", text.c_str());
    return static_cast<int>(kOk);
  });
  const auto shell = std::make_shared<std::string>();
  add_verb(app, context, "completion", "Print the completion script for a shell",
           "homeostat completion bash > /etc/bash_completion.d/homeostat",
           [&app, shell] {
             std::fputs(completion(app, *shell).c_str(), stdout);
             return static_cast<int>(kOk);
           })
      ->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

}  // namespace homeostat::cli
