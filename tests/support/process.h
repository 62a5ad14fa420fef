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
  size_t peak_bytes = 0;   // of memory in use at once, mapped files included
  double cpu_seconds = 0;  // of all threads
};

struct ProcessOptions {
  std::filesystem::path folder;  // current folder of the program
  std::map<std::string, std::string>
      environment;  // added to this process's, empty ones taken away; FP8Q_DATA is never inherited
  std::filesystem::path out;  // where standard output goes; empty: captured
  size_t address_space = 0;   // the largest one, in bytes; 0: as large as this process's
  size_t file_size = 0;       // the most that a file may have, in bytes; 0: no limit
  // `signal` is sent as soon as this file exists. If the path is empty, no signal is sent.
  std::filesystem::path signal_when_exists;
  int signal = 0;
};

// `arguments` does not include the program's name.
ProcessResult run_fp8q(const std::vector<std::string>& arguments, const ProcessOptions& options);

}  // namespace fp8q::test
