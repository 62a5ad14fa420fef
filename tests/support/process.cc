#include "tests/support/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

void redirect(int fd, const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || dup2(file, fd) < 0) _exit(126);
}

void limit(decltype(RLIMIT_AS) resource, size_t bytes) {
  if (bytes == 0) return;
  const rlimit both = {bytes, bytes};
  setrlimit(resource, &both);
}

// Returns the resident anonymous memory of a process, or 0 if it has ended.
size_t anonymous_bytes(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");  // counts pages
  size_t all = 0, resident = 0, shared = 0;
  file >> all >> resident >> shared;
  return (resident - shared) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

ProcessResult run_fp8q(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  const TemporaryFolder captured;
  const std::string program = FP8Q_PROGRAM;
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);

  const pid_t child = fork();
  if (child == 0) {
    if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
    // A test in the background of a shell ignores SIGINT, which programs inherit.
    for (const int signal : {SIGHUP, SIGINT, SIGTERM})
      std::signal(signal, signal == options.ignored_signal ? SIG_IGN : SIG_DFL);
    limit(RLIMIT_AS, options.address_space);
    limit(RLIMIT_DATA, options.data);
    limit(RLIMIT_FSIZE, options.file_size);
    unsetenv("FP8Q_DATA");
    for (const auto& [name, value] : options.environment) {
      if (value.empty()) unsetenv(name.c_str());
      else setenv(name.c_str(), value.c_str(), 1);
    }
    redirect(STDOUT_FILENO, options.out.empty() ? captured.path() / "out" : options.out);
    redirect(STDERR_FILENO, captured.path() / "err");
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  int status = 0;
  rusage usage = {};
  size_t anonymous = 0;
  if (options.signal_when_exists.empty() && !options.watch_memory) {
    wait4(child, &status, 0, &usage);
  } else {
    bool sent = false;
    while (wait4(child, &status, WNOHANG, &usage) == 0) {
      if (options.watch_memory) anonymous = std::max(anonymous, anonymous_bytes(child));
      if (!sent && std::filesystem::exists(options.signal_when_exists))
        sent = kill(child, options.signal) == 0;
      usleep(1000);
    }
  }
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          content(captured.path() / "out"),
          content(captured.path() / "err"),
          static_cast<size_t>(usage.ru_maxrss) * 1024,
          anonymous,
          seconds(usage.ru_utime) + seconds(usage.ru_stime)};
}

}  // namespace fp8q::test
