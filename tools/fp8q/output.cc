#include "tools/fp8q/output.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>  // gets text only: its formatting takes seconds to compile
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "json/layout.h"
#include "report/json.h"
#include "report/result_file.h"
#include "tools/fp8q/tell.h"
#include "tools/fp8q/workspace.h"

namespace fp8q::cli {

namespace {

constexpr const char* kLogger = "fp8q";

// A log is appended to. Any other existing file stays unchanged, and folders are for users to make.
void check_log_file(const fs::path& path) {
  const fs::path folder = path.parent_path();
  if (!folder.empty() && !is_folder(folder))
    fail(ErrorCode::file, "{}: there is no folder {}; make it or give --log-file another name",
         printable(path.string()), printable(folder.string()));
  if (!is_there(path)) return;
  const std::string start = beginning_of(path, 64);
  const bool log =
      is_file(path) && (fs::file_size(path) == 0 || start.find(" info version ") != start.npos);
  if (!log)
    fail(ErrorCode::file, "{}: exists and is not a log of fp8q; give --log-file another name",
         printable(path.string()));
}

}  // namespace

void set_up_log(const Globals& globals) {
  auto terminal = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  terminal->set_level(globals.quiet     ? spdlog::level::err
                      : globals.verbose ? spdlog::level::info
                                        : spdlog::level::warn);
  terminal->set_pattern("fp8q: %v");
  std::vector<spdlog::sink_ptr> sinks = {terminal};
  // The logger is set before the log file is opened, so that errors there are reported.
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(kLogger, terminal));
  if (!globals.log_file.empty()) {
    check_log_file(globals.log_file);
    try {
      auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(globals.log_file.string());
      file->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
      sinks.push_back(file);
    } catch (const spdlog::spdlog_ex& e) {
      fail(ErrorCode::file, "{}: the log file cannot be written: {}", globals.log_file.string(),
           e.what());
    }
  }
  auto logger = std::make_shared<spdlog::logger>(kLogger, sinks.begin(), sinks.end());
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(logger);
}

void log_error(std::string_view message) {
  spdlog::error("error: " + printable(message, kMaxPrintedMessage));
}

void log_info(std::string_view message) { spdlog::info(printable(message, kMaxPrintedMessage)); }

void log_out_of_memory() {
  if (spdlog::default_logger_raw()->name() == kLogger) spdlog::error("error: out of memory");
  else tell("fp8q: error: out of memory\n");  // there was not even memory for the log
}

std::string printable_lines(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    out += printable(lines.substr(0, end), std::string::npos);
    if (end == lines.npos) break;
    out += '\n';
    lines.remove_prefix(end + 1);
  }
  return out;
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
    fmt::print(stderr, "\r\033[K{} [{}] {}/{}", printable(step), bar, done, total);
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
  return [](std::string_view step, size_t done, size_t total) {
    if (done == total) log_info(fmt::format("{}: {} done", step, total));
  };
}

bool prints_table(const Globals& globals) { return !globals.quiet && globals.json != "-"; }

namespace {

void write_standard_output(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    fail(ErrorCode::file, "standard output cannot be written");
}

}  // namespace

void print(const Globals& globals, const std::string& table) {
  const std::string shown = printable_lines(table);
  spdlog::debug("\n" + shown);
  if (prints_table(globals)) write_standard_output(shown);
}

void print_notes(const Globals& globals, const std::vector<std::string>& notes) {
  for (const auto& note : notes) {
    const std::string shown = "note: " + printable(note, kMaxPrintedMessage);
    spdlog::debug(shown);
    if (prints_table(globals)) write_standard_output(shown + "\n");
  }
}

void check_outputs(const Globals& globals, CallFiles files) {
  const bool json_file = !globals.json.empty() && globals.json != "-";
  if (json_file) files.outputs.push_back(globals.json);
  files.outputs.push_back(globals.log_file);
  check_files(files);
  if (json_file && is_there(globals.json) && !is_result_file(globals.json))
    fail(ErrorCode::file,
         "{}: exists and does not hold results of fp8q; remove it, or give --json another name",
         printable(globals.json));
}

void write_json(const Globals& globals, const std::string& result) {
  write_json(globals, std::vector{result});
}

void write_json(const Globals& globals, const std::vector<std::string>& results) {
  for (const std::string& result : results) keep_result(result);
  if (globals.json.empty()) return;
  const std::string text =
      (results.size() == 1 ? results.front() : json::list_of_texts(results, kResultIndent)) + "\n";
  if (globals.json == "-") {
    write_standard_output(text);
    return;
  }
  write_file_atomically(globals.json, text);
}

}  // namespace fp8q::cli
