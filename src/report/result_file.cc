#include "report/result_file.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/file.h"

namespace fp8q {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxBytes = uint64_t{1} << 28;

constexpr std::array kSchemas = {
#define SECTION(schema) std::string_view(#schema),
#include "report/sections.def"
#undef SECTION
};

// The name between "fp8q/" and "/1", or nothing.
std::string schema_of(const json& value) {
  if (!value.is_object()) return "";
  const auto it = value.find("schema");
  if (it == value.end() || !it->is_string()) return "";
  const auto& schema = it->get_ref<const std::string&>();
  for (const std::string_view name : kSchemas)
    if (schema == fmt::format("fp8q/{}/1", name)) return std::string(name);
  return "";
}

// What one file holds; nothing where it is no result.
std::vector<ResultFile> read_results(const fs::path& path) {
  const std::string bytes = read_file(path, kMaxBytes);
  json content = json::parse(bytes, nullptr, false);
  if (!content.is_array()) content = json::array({std::move(content)});
  std::vector<ResultFile> results;
  for (json& result : content) {
    const std::string schema = schema_of(result);
    if (schema.empty()) return {};
    if (schema == "statistics")
      results.push_back({path, schema, {}, statistics_from_json(bytes, path.string())});
    else results.push_back({path, schema, std::move(result), {}});
  }
  return results;
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

std::vector<ResultFile> load_results(const std::vector<fs::path>& inputs) {
  std::vector<ResultFile> results;
  for (const fs::path& input : inputs) {
    std::error_code ignored;
    if (fs::is_directory(input, ignored)) {
      for (const fs::path& file : json_files_in(input)) append(results, read_results(file));
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
