#include "report/result_file.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/file.h"

namespace fp8q {
namespace {

using json::Document;
using json::Value;

constexpr uint64_t kMaxBytes = uint64_t{1} << 28;  // of one file
constexpr size_t kMaxResults = 10'000;
// All files together, as read; the page takes about as much again.
constexpr size_t kMaxMemory = json::kMaxTreeBytes;
constexpr json::Kind kKind{.what = "a file of results",
                           .remedy = "run the command again that wrote it, with --json FILE"};

constexpr std::array kSchemas = {
#define FP8Q_SECTION(schema) std::string_view(#schema),
#include "report/sections.def"
#undef FP8Q_SECTION
};

// Returns the name between "fp8q/" and "/1", or an empty text.
std::string schema_of(const Value& value) {
  if (!value.is_object()) return "";
  const auto schema = value.find("schema");
  if (!schema || !schema->is_string()) return "";
  for (const std::string_view name : kSchemas)
    if (schema->string() == fmt::format("fp8q/{}/1", name)) return std::string(name);
  return "";
}

// Returns the results in a file. The list is empty if the file holds anything but results.
std::vector<ResultFile> results_of(const fs::path& path, std::string_view bytes,
                                   const Document& document) {
  const Value root = document.root();
  std::vector<ResultFile> results;
  for (const Value& result : root.is_list() ? root.items() : std::vector{root}) {
    const std::string schema = schema_of(result);
    if (schema.empty()) return {};
    if (results.size() > kMaxResults) break;  // refused by Results
    ResultFile& file = results.emplace_back(ResultFile{path, schema, document, result, {}});
    if (schema == "statistics") file.statistics = statistics_from_json(bytes, path.string());
  }
  return results;
}

std::vector<ResultFile> read_results(const fs::path& path) {
  const std::string bytes = read_file(path, kMaxBytes);
  return results_of(path, bytes, Document::parse(bytes, path.string(), kKind));
}

// Does the same for a file that the user did not name and that may be anything.
std::vector<ResultFile> look_for_results(const fs::path& path) {
  const std::string bytes = read_file(path, kMaxBytes);
  std::optional<Document> document;
  try {
    document = Document::parse(bytes, path.string(), kKind);
  } catch (const Error&) {
    return {};
  }
  return results_of(path, bytes, *document);
}

std::vector<fs::path> json_files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() == ".json")
      files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

// Holds all results, and refuses more than fit.
class Results {
 public:
  void append(std::vector<ResultFile> from) {
    if (from.empty()) return;
    memory_ += from.front().document.memory();
    if (const auto& statistics = from.front().statistics)
      memory_ += statistics->sites.size() * SiteStatistics::kBins * sizeof(uint64_t);
    if (memory_ > kMaxMemory)
      fail(ErrorCode::limit,
           "{}: with it, the results take more than {} MiB of memory; make several reports",
           printable(from.front().path.string()), kMaxMemory >> 20);
    if (list_.size() + from.size() > kMaxResults)
      fail(ErrorCode::limit, "{}: with it, there are more than {} results; make several reports",
           printable(from.front().path.string()), kMaxResults);
    std::ranges::move(from, std::back_inserter(list_));
  }
  std::vector<ResultFile> take() { return std::move(list_); }

 private:
  std::vector<ResultFile> list_;
  size_t memory_ = 0;
};

}  // namespace

bool is_result_file(const fs::path& path) {
  std::string start = beginning_of(path, 64);
  std::erase_if(start, [](char c) { return c == ' ' || c == '\n' || c == '['; });
  for (const char* command : {"inspect", "calibrate", "merge", "convert", "eval", "eval-shard",
                              "bench", "report", "compare", "sensitivity", "tune"})
    if (start.starts_with(fmt::format("{{\"schema\":\"fp8q/{}/", command))) return true;
  return false;
}

std::vector<ResultFile> load_results(const std::vector<fs::path>& inputs) {
  Results results;
  for (const fs::path& input : inputs) {
    if (is_folder(input)) {
      for (const fs::path& file : json_files_in(input)) results.append(look_for_results(file));
      continue;
    }
    auto found = read_results(input);
    if (found.empty())
      fail(ErrorCode::bad_data,
           "{}: holds no results that a report can show; give it files that --json wrote, or "
           "statistics (*.calib.json)",
           printable(input.string()));
    results.append(std::move(found));
  }
  return results.take();
}

}  // namespace fp8q
