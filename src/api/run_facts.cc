#include "api/run_facts.h"

#include <sys/resource.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"

#ifndef FP8Q_VERSION
#error "FP8Q_VERSION is set by CMake"
#endif

namespace fp8q {

std::string_view version() { return FP8Q_VERSION; }

double Stopwatch::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

uint64_t peak_rss_bytes() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
}

ExecutionFacts execution_facts(const Stopwatch& watch, const std::string& engine) {
  return {"cpu", engine, threads(), watch.seconds(), peak_rss_bytes()};
}

FileFacts facts_of(const fs::path& path) { return {path, sha256_file(path), fs::file_size(path)}; }

void check_output(const OutputCheck& check, const std::function<bool(const fs::path&)>& ours) {
  std::error_code ignored;
  for (const auto& input : check.inputs)
    if (fs::equivalent(check.path, input, ignored))
      fail(ErrorCode::usage,
           "{}: is an input of this command and is never overwritten; choose "
           "another output with -o",
           printable(check.path.string()));
  if (check.force || !fs::exists(check.path, ignored)) return;
  if (!ours(check.path))
    fail(ErrorCode::file,
         "{}: exists and was not written by fp8q; replace it with --force, or choose another name",
         printable(check.path.string()));
}

}  // namespace fp8q
