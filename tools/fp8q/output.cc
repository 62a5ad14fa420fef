#include "tools/fp8q/output.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace fp8q::cli {

void set_up_log(const Globals& globals) {
  auto terminal = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  terminal->set_level(globals.quiet     ? spdlog::level::err
                      : globals.verbose ? spdlog::level::debug
                                        : spdlog::level::warn);
  terminal->set_pattern("fp8q: %v");
  std::vector<spdlog::sink_ptr> sinks = {terminal};
  if (!globals.log_file.empty()) {
    try {
      auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(globals.log_file.string());
      file->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
      sinks.push_back(file);
    } catch (const spdlog::spdlog_ex& e) {
      fail(ErrorCode::file, "{}: the log file cannot be written: {}", globals.log_file.string(),
           e.what());
    }
  }
  auto logger = std::make_shared<spdlog::logger>("fp8q", sinks.begin(), sinks.end());
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(logger);
}

namespace {

// Redraws one line at most ten times a second.
class ProgressBar {
 public:
  void operator()(std::string_view step, size_t done, size_t total) {
    const auto now = std::chrono::steady_clock::now();
    const bool last = done >= total;
    if (!last && step == step_ && now - drawn_ < std::chrono::milliseconds(100)) return;
    step_ = step;
    drawn_ = now;
    constexpr size_t kWidth = 30;
    const size_t filled = total == 0 ? 0 : std::min(kWidth, done * kWidth / total);
    const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
    fmt::print(stderr, "\r\033[K{} [{}] {}/{}", step, bar, done, total);
    if (last) fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
  }

 private:
  std::string step_;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace

ProgressCallback make_progress(const Globals& globals) {
  if (globals.quiet) return nullptr;
  if (isatty(STDERR_FILENO)) return ProgressBar();
  if (!globals.verbose) return nullptr;
  return [step_shown = std::string()](std::string_view step, size_t, size_t total) mutable {
    if (step == step_shown) return;
    step_shown = step;
    spdlog::info("{}: {} examples", step, total);
  };
}

bool prints_table(const Globals& globals) { return !globals.quiet && globals.json != "-"; }

void print(const Globals& globals, const std::string& table) {
  if (!prints_table(globals)) return;
  std::fwrite(table.data(), 1, table.size(), stdout);
  std::fflush(stdout);
}

void print_notes(const Globals& globals, const std::vector<std::string>& notes) {
  if (!prints_table(globals)) return;
  for (const auto& note : notes) fmt::print("note: {}\n", note);
}

void write_json(const Globals& globals, const nlohmann::ordered_json& json) {
  if (globals.json.empty()) return;
  // Names come from untrusted files: invalid UTF-8 is replaced rather than refused.
  const std::string text =
      json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  if (globals.json == "-") {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      fail(ErrorCode::file, "standard output cannot be written");
  } else {
    write_file_atomically(globals.json, text);
  }
}

void check_json_target(const Globals& globals, const std::vector<fs::path>& inputs) {
  if (globals.json.empty() || globals.json == "-") return;
  for (const auto& input : inputs) {
    std::error_code ignored;
    if (fs::equivalent(globals.json, input, ignored))
      fail(ErrorCode::usage, "--json {} would overwrite an input", globals.json);
  }
}

}  // namespace fp8q::cli
