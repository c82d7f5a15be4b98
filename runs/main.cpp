/// The program `quartet`: command line, and exit codes (runs/run.hpp).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>

#include "runs/commands.hpp"
#include "runs/experiment.hpp"
#include "runs/launcher.hpp"
#include "runs/run.hpp"
#include "runs/schema.hpp"
#include "runs/signals.hpp"

namespace {

/// Of several ranks that refuse the same input, rank 0 speaks. The others wait for mpirun to end
/// them; a rank that nobody ends is the only one that refuses, and speaks too.
int refuse(const std::string& message) {
  constexpr unsigned kSecondsToBeEnded = 2;
  bool speaks = true;
  try {
    const quartet::LaunchPlan plan = quartet::plan_launch(quartet::process_environment(), {});
    if (plan.launch == quartet::Launch::as_rank && plan.rank != 0) {
      sleep(kSecondsToBeEnded);
      speaks = !quartet::stop_requested();
    }
  } catch (const std::invalid_argument&) {
  }
  if (speaks) std::fprintf(stderr, "%s\n", message.c_str());
  return quartet::exit_usage;
}

/// `exit_code`, if all of the output could be written.
int written(int exit_code) {
  std::cout.flush();
  if (std::cout && std::ferror(stdout) == 0) return exit_code;
  std::fputs("quartet: the output cannot be written in full; is the disk full?\n", stderr);
  return quartet::failure_code();
}

/// The first example in a command's help.
std::string example_of(const CLI::App& command) {
  const std::string help = command.get_footer();
  const std::size_t start = help.find("quartet ");
  return help.substr(start, help.find('\n', start) - start);
}

/// What the parser of the command line found wrong, in words for people. `command`: where there is
/// one; `remedy` goes behind it.
std::string plainly(const CLI::ParseError& error, const CLI::App* command,
                    const std::string& remedy) {
  const std::string what = error.what();
  const std::string flag = what.substr(0, what.find(':'));
  // Our own checks say what to write.
  if (dynamic_cast<const CLI::ValidationError*>(&error)) return what;
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error)) {
    if (what.find("At Most 1") != what.npos) return flag + ": given more than once; give it once";
    const CLI::Option* option = command ? command->get_option_no_throw(flag) : nullptr;
    if (const int values = option ? option->get_items_expected_min() : 1; values > 1)
      return flag + ": takes " + std::to_string(values) + " values (" + option->get_description() +
             "); write for example " + example_of(*command);
    return flag + ": its value is missing; " + remedy;
  }
  return what + "; " + remedy;
}

/// The refusal of a first word that is no command; empty where it is one, or a flag, or missing.
std::string unknown_command(const CLI::App& app, const quartet::Arguments& arguments) {
  if (arguments.empty() || arguments[0].starts_with('-')) return "";
  std::vector<std::string> commands;
  std::string list;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(command->get_name());
    list += (list.empty() ? "" : ", ") + command->get_name();
  }
  if (std::count(commands.begin(), commands.end(), arguments[0])) return "";
  const std::string meant = quartet::nearest(arguments[0], commands);
  return "quartet: there is no command " + quartet::shell_word(arguments[0]) + "; " +
         (meant.empty() ? "" : "did you mean " + meant + "? ") + "Commands: " + list;
}

/// What a person probably meant by a flag that does not exist; empty if unclear.
std::string proposal(const CLI::App& app, const quartet::Arguments& arguments) {
  const auto names = [](const std::vector<std::string>& given, const std::string& dashes) {
    std::vector<std::string> all;
    for (const std::string& name : given) all.push_back(dashes + name);
    return all;
  };
  std::vector<std::string> flags;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (arguments.empty() || command->get_name() != arguments[0]) continue;
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& flag : names(option->get_lnames(), "--")) flags.push_back(flag);
    }
  }
  for (const std::string& argument : arguments) {
    const std::string flag = argument.substr(0, argument.find('='));
    if (flag.rfind("--", 0) != 0 || std::count(flags.begin(), flags.end(), flag)) continue;
    return quartet::nearest(flag, flags);
  }
  return "";
}

/// Instructions that the compiler was allowed to use and the machine lacks; null where it has all.
const char* missing_instructions() {
#if defined(__x86_64__) && defined(__AVX512F__)
  if (!__builtin_cpu_supports("avx512f")) return "AVX-512";
#endif
#if defined(__x86_64__) && defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2")) return "AVX2";
#endif
#if defined(__x86_64__) && defined(__FMA__)
  if (!__builtin_cpu_supports("fma")) return "FMA";
#endif
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  // Before any file: one that got the number of a closed stream would be written what is printed.
  int null;
  do null = open("/dev/null", O_RDWR);
  while (null >= 0 && null <= STDERR_FILENO);
  if (null >= 0) close(null);
  if (const char* lacks = missing_instructions()) {
    return refuse(std::string("this program was built for machines with ") + lacks +
                  ", which this one lacks; build it here, or with cmake -DQUARTET_NATIVE=OFF");
  }
  const quartet::Arguments arguments(argv + 1, argv + argc);
  // First of all: a signal that comes while a rank starts must not kill it.
  if (!arguments.empty() && (arguments[0] == "run" || arguments[0] == "resume")) {
    quartet::watch_stop_signals();
  }
  int exit_code = quartet::exit_done;

  CLI::App app("Quartet: how the motor cortex learns with two teachers", "quartet");
  app.footer(
      "Example:\n  quartet run runs/experiments/smoke.toml\n  quartet score results/smoke\n\n"
      "Exit codes: 0 done, 1 failure or difference, 2 command line or experiment file,\n"
      "75 stopped with a good checkpoint (continue with `quartet resume DIR`), or before\n"
      "anything was written (which it says; give the same command again).\n"
      "`quartet COMMAND --help` says more about a command.");
  app.require_subcommand(1);
  quartet::add_run(app, arguments, exit_code);
  quartet::add_resume(app, arguments, exit_code);
  quartet::add_validate(app, exit_code);
  quartet::add_describe(app, exit_code);
  quartet::add_compare(app, exit_code);
  quartet::add_inspect(app, exit_code);
  quartet::add_plot(app, exit_code);
  quartet::add_score(app, exit_code);
  quartet::add_scaling(app, exit_code);
  quartet::add_robustness(app, exit_code);
  quartet::add_energy(app, exit_code);
  quartet::add_readings(app, exit_code);
  quartet::add_version(app, exit_code);

  if (const std::string unknown = unknown_command(app, arguments); !unknown.empty()) {
    return refuse(unknown);
  }
  try {
    app.parse(argc, argv);
    return written(exit_code);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return written(app.exit(error));  // --help, --version
    const std::string meant = proposal(app, arguments);
    const std::vector<CLI::App*> given = app.get_subcommands();
    return refuse("quartet: " +
                  plainly(error, given.empty() ? nullptr : given[0],
                          meant.empty() ? "`quartet --help` and `quartet COMMAND --help` show how"
                                        : "did you mean " + meant + "?"));
  } catch (const quartet::ExperimentError& error) {
    return refuse(error.what());
  } catch (const quartet::UsageError& error) {
    return refuse(std::string("quartet: ") + error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quartet: %s\n", error.what());
    return quartet::failure_code();
  }
}
