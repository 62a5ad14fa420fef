// Runs the fp8q program as a user does and captures what it says.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fp8q::test {

struct ProcessResult {
  int exit_code = -1;  // 128 + signal where a signal ended it
  std::string out;
  std::string err;
  size_t peak_bytes = 0;  // of memory in use at once, mapped files included
  // The same of memory that it allocated (RssAnon), looked at every millisecond; 0 unless
  // ProcessOptions::watch_memory.
  size_t peak_anonymous_bytes = 0;
  double cpu_seconds = 0;  // of all threads
};

struct ProcessOptions {
  std::filesystem::path folder;  // current folder of the program
  std::map<std::string, std::string>
      environment;  // added to this process's, empty ones taken away; FP8Q_DATA is never inherited
  std::filesystem::path out;  // where standard output goes; empty: captured
  // These are limits in bytes; 0: those of this process.
  size_t address_space = 0;  // RLIMIT_AS
  size_t data = 0;           // RLIMIT_DATA: what it may allocate, stacks of threads included
  size_t file_size = 0;      // RLIMIT_FSIZE
  bool watch_memory = false;
  // `signal` is sent as soon as this file exists. If the path is empty, no signal is sent.
  std::filesystem::path signal_when_exists;
  int signal = 0;
  int ignored_signal = 0;  // this one of SIGHUP, SIGINT and SIGTERM is ignored by its caller
};

// `arguments` does not include the program's name.
ProcessResult run_fp8q(const std::vector<std::string>& arguments, const ProcessOptions& options);

}  // namespace fp8q::test
