#include "runs/launcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "runs/run.hpp"
#include "runs/signals.hpp"

namespace quartet {
namespace {

/// Set for the ranks by the supervisor: a file that rank 0 makes once all of them run. Until then
/// mpirun has nobody to pass a signal to: it loses it, or dies of it.
constexpr char kSupervised[] = "QUARTET_SUPERVISED";

/// After this time ranks are taken to run: on another machine, with its own /tmp, the file is not
/// seen here, and a stop that was asked for must not wait for ever.
constexpr std::chrono::seconds kLongestStart{60};

std::optional<int> number(const std::optional<std::string>& text) {
  int value = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

volatile std::sig_atomic_t mpirun_pid = 0;
volatile std::sig_atomic_t ranks_run = 0, asked = 0;
volatile std::sig_atomic_t times_asked = 0;  // by SIGINT or SIGTERM

/// SIGUSR1 passes through mpirun to the ranks. mpirun itself answers SIGINT, SIGTERM and SIGHUP by
/// killing them before they can write a checkpoint, so those are translated; the first two once.
void forward(int signal) {
  const int saved = errno;
  asked = 1;
  if (signal == SIGINT || signal == SIGTERM) times_asked = times_asked + 1;
  if (mpirun_pid > 0 && times_asked > 1)
    kill(mpirun_pid, SIGTERM);
  else if (mpirun_pid > 0 && ranks_run)
    kill(mpirun_pid, SIGUSR1);
  errno = saved;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

std::vector<int> forwarded() {
  std::vector<int> signals = {SIGINT, SIGTERM, SIGUSR1};
  if (!hangups_are_ignored()) signals.push_back(SIGHUP);
  return signals;
}

sigset_t forwarded_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : forwarded()) sigaddset(&set, signal);
  return set;
}

/// In the child: becomes mpirun. Reports a failure through `report`, which closes on success.
[[noreturn]] void become_mpirun(std::vector<std::string>& command, const std::string& all_run,
                                int report, pid_t parent) {
  setenv(kSupervised, all_run.c_str(), 1);
  // Own process group: a Ctrl-C at the terminal reaches the supervisor only, who translates it.
  setpgid(0, 0);
  // No ranks without a supervisor, even if that is killed.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(exit_failed);
  for (const int signal : forwarded()) handle(signal, SIG_DFL);
  const sigset_t set = forwarded_set();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  // A process group in the background may not read the terminal.
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(report, &error, sizeof error);
  _exit(exit_failed);
}

/// A folder that is there as long as this is.
class TemporaryFolder {
 public:
  /// Throws std::runtime_error, with a remedy.
  TemporaryFolder() {
    std::error_code error;
    path_ = (std::filesystem::temp_directory_path(error) / "quartet-XXXXXX").string();
    if (error || !mkdtemp(path_.data()))
      throw std::runtime_error(
          fmt::format("cannot create a temporary folder: {}; set TMPDIR to a folder with room",
                      error ? error.message() : std::strerror(errno)));
  }
  ~TemporaryFolder() {
    std::error_code none;
    std::filesystem::remove_all(path_, none);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Waits for the end of `child`, mpirun, and returns its status. `all_run`: what rank 0 makes.
int wait_for(pid_t child, const std::filesystem::path& all_run) {
  const auto started = std::chrono::steady_clock::now();
  int status = 0;
  bool announced = false;
  while (true) {
    const pid_t ended = waitpid(child, &status, ranks_run ? 0 : WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR)
      throw std::runtime_error(std::string("cannot wait for mpirun: ") + std::strerror(errno));
    if (times_asked > 0 && !announced) {
      std::fputs("\nquartet: stopping at a checkpoint; interrupt again to stop at once\n", stderr);
      announced = true;
    }
    if (ranks_run) continue;
    std::error_code none;
    if (std::filesystem::exists(all_run, none) ||
        std::chrono::steady_clock::now() - started > kLongestStart) {
      ranks_run = 1;
      if (asked) kill(child, SIGUSR1);
    } else {
      usleep(10'000);
    }
  }
}

/// Whether a checkpoint has been published in a run directory. It may be damaged: `resume` looks.
bool has_checkpoint(const std::filesystem::path& directory) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(directory / "checkpoints", none))
    if (entry.is_directory(none) && entry.path().extension().empty()) return true;
  return false;
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

LaunchPlan plan_launch(const Environment& environment, std::optional<int> ranks) {
  LaunchPlan plan;
  std::optional<int> size;
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    if (!size) size = number(environment(name));
  }
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
    if (const auto rank = number(environment(name))) {
      plan.launch = Launch::as_rank;
      plan.rank = *rank;
      plan.ranks = size.value_or(1);
      plan.supervised = environment(kSupervised).has_value();
      if (ranks && size && *ranks != *size) {
        throw std::invalid_argument(
            fmt::format("--ranks {}: mpirun or srun has started {} ranks; leave --ranks out, or "
                        "start quartet without mpirun",
                        *ranks, *size));
      }
      return plan;
    }
  }
  // srun without an MPI plugin starts copies that do not know of each other.
  if (environment("SLURM_STEP_ID") && size.value_or(1) > 1) {
    throw std::invalid_argument(
        fmt::format("srun has started {} copies without MPI; write srun --mpi=pmix -n {} …, or "
                    "srun -n 1",
                    *size, *size));
  }
  plan.ranks = ranks.value_or(4);
  plan.launch = plan.ranks == 1 ? Launch::in_process : Launch::supervise;
  return plan;
}

std::vector<std::pair<std::string, std::string>> mpirun_settings() {
  return {
      // As root (containers).
      {"OMPI_ALLOW_RUN_AS_ROOT", "1"},
      {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
      {"PRTE_ALLOW_RUN_AS_ROOT", "1"},
      {"PRTE_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
      // More ranks than cores; a waiting rank gives its core away (otherwise a step takes ms).
      {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
      {"PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"},
      {"OMPI_MCA_mpi_yield_when_idle", "1"},
      // Two runs on one machine must not be bound to the same cores.
      {"OMPI_MCA_hwloc_base_binding_policy", "none"},
      {"PRTE_MCA_hwloc_default_binding_policy", "none"},
      // Messages of a timestep go eagerly through shared memory.
      {"OMPI_MCA_btl_vader_eager_limit", "32768"},
      {"OMPI_MCA_btl_sm_eager_limit", "32768"},
      // The ranks and the supervisor explain their end themselves.
      {"OMPI_MCA_orte_execute_quiet", "1"},
  };
}

std::string own_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

std::string shell_word(const std::string& word) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_-./:=,+@%").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string crowding(int ranks, int cores) {
  if (ranks <= std::max(8, 2 * cores)) return "";
  return fmt::format(
      "--ranks {}: this machine has {} cores, so they wait for each other; --ranks {} "
      "would be faster",
      ranks, cores, std::max(4, cores));
}

void announce_ranks() {
  const char* all_run = std::getenv(kSupervised);
  if (!all_run) return;
  const int file = open(all_run, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0) close(file);  // else the supervisor waits for kLongestStart
}

int failure_code() { return std::getenv(kSupervised) ? exit_told : exit_failed; }

int supervise_mpirun(int ranks, const std::vector<std::string>& arguments,
                     const std::filesystem::path& directory) {
  for (const auto& [name, value] : mpirun_settings()) setenv(name.c_str(), value.c_str(), 0);
  const char* chosen = std::getenv("QUARTET_MPIRUN");
  std::vector<std::string> command = {chosen ? chosen : "mpirun", "-n", std::to_string(ranks),
                                      own_path()};
  command.insert(command.end(), arguments.begin(), arguments.end());

  handle(SIGCHLD, SIG_DFL);  // ignored, as it may be inherited, there is nothing to wait for
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) {
    throw std::runtime_error(std::string("cannot create a pipe: ") + std::strerror(errno));
  }
  const TemporaryFolder folder;
  const std::string all_run = folder.path() + "/all_ranks_run";
  // A signal between fork and the note of the child's number would be lost: hold it back.
  const sigset_t set = forwarded_set();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  if (stop_requested()) {  // since the program began
    std::fputs("quartet: stopped before a rank was started; nothing was written\n", stderr);
    return exit_stopped;
  }
  for (const int signal : forwarded()) handle(signal, forward);
  const pid_t self = getpid();
  const pid_t child = fork();
  if (child == 0) become_mpirun(command, all_run, report[1], self);
  mpirun_pid = child;
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  close(report[1]);
  if (child < 0) throw std::runtime_error(std::string("cannot fork: ") + std::strerror(errno));

  int error = 0;
  ssize_t got;
  do {
    got = read(report[0], &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  close(report[0]);
  const int status = wait_for(child, all_run);
  mpirun_pid = 0;
  if (got == sizeof error) {
    throw std::runtime_error(
        fmt::format("cannot start {}: {}; install Open MPI (apt-get install openmpi-bin), set "
                    "QUARTET_MPIRUN to "
                    "its path, or write --ranks 1 to run without MPI",
                    command[0], std::strerror(error)));
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  const std::string resume = "quartet resume " + shell_word(directory.string());
  const std::string remedy = !std::filesystem::exists(directory / "resolved.toml")
                                 ? "nothing was written; begin anew with the same command"
                             : has_checkpoint(directory)
                                 ? "continue from the newest checkpoint: " + resume
                                 : "there is no checkpoint yet; begin anew: " + resume;
  if (times_asked > 1 && code != exit_done && code != exit_stopped) {
    std::fprintf(stderr, "quartet: stopped at once, as asked again; %s\n", remedy.c_str());
    return has_checkpoint(directory) ? exit_stopped : exit_failed;
  }
  if (code > 128 && code < 128 + NSIG) {
    std::fprintf(stderr, "quartet: a rank, or mpirun, was ended by signal %d (%s); %s\n",
                 code - 128, strsignal(code - 128), remedy.c_str());
    return exit_failed;
  }
  if (code == exit_told) return exit_failed;
  if (code != exit_done && code != exit_usage && code != exit_stopped) {
    std::string line;
    for (const std::string& word : command) (line += ' ') += shell_word(word);
    std::fprintf(
        stderr,
        "quartet: the ranks ended with code %d; if no reason stands above, see what mpirun "
        "says:%s\n",
        code, line.c_str());
    return exit_failed;
  }
  return code;
}

}  // namespace quartet
