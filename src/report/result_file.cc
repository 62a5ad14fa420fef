#include "report/result_file.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "base/error.h"
#include "base/file.h"

namespace fp8q {
namespace {

using json::Document;
using json::Value;

constexpr uint64_t kMaxBytes = uint64_t{1} << 28;
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

void append(std::vector<ResultFile>& to, std::vector<ResultFile> from) {
  std::ranges::move(from, std::back_inserter(to));
}

}  // namespace

bool is_result_file(const fs::path& path) {
  std::string start(64, '\0');
  std::ifstream(path, std::ios::binary)
      .read(start.data(), static_cast<std::streamsize>(start.size()));
  std::erase_if(start, [](char c) { return c == ' ' || c == '\n' || c == '['; });
  for (const char* command : {"inspect", "calibrate", "merge", "convert", "eval", "eval-shard",
                              "bench", "report", "compare", "sensitivity", "tune"})
    if (start.starts_with(fmt::format("{{\"schema\":\"fp8q/{}/", command))) return true;
  return false;
}

std::vector<ResultFile> load_results(const std::vector<fs::path>& inputs) {
  std::vector<ResultFile> results;
  for (const fs::path& input : inputs) {
    std::error_code ignored;
    if (fs::is_directory(input, ignored)) {
      for (const fs::path& file : json_files_in(input)) append(results, look_for_results(file));
      continue;
    }
    auto found = read_results(input);
    if (found.empty())
      fail(ErrorCode::bad_data,
           "{}: holds no results that a report can show; give it files that --json wrote, or "
           "statistics (*.calib.json)",
           printable(input.string()));
    append(results, std::move(found));
  }
  return results;
}

}  // namespace fp8q
