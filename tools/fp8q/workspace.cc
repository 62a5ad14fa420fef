#include "tools/fp8q/workspace.h"

#include <algorithm>
#include <cctype>

#include "base/beneath.h"
#include "base/error.h"
#include "json/document.h"
#include "json/layout.h"
#include "json/tree.h"
#include "report/json.h"
#include "report/result_file.h"
#include "tools/fp8q/output.h"

namespace fp8q::cli {
namespace {

constexpr const char* kFolder = ".fp8q";
constexpr const char* kSchema = "fp8q/workspace/1";
constexpr uint64_t kMaxBytes = 1 << 20;
constexpr size_t kMaxPath = 4096;
constexpr json::Kind kKind{.what = "a workspace of this version",
                           .remedy = "remove it and calibrate again"};

fs::path workspace_path() { return fs::path(kFolder) / "workspace.json"; }
fs::path results_folder() { return fs::path(kFolder) / "results"; }

fs::file_type type_of(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type();
}

// Returns whether this is a folder, and not a link to one.
bool is_real_folder(const fs::path& path) { return type_of(path) == fs::file_type::directory; }

// Makes a folder unless it is there.
void make_real_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directory(path, error);
  if (is_real_folder(path)) return;
  fail(ErrorCode::file, "{}: cannot be made: {}", path.string(),
       type_of(path) == fs::file_type::symlink ? "a link of this name is in the way"
       : error                                 ? error.message()
                                               : "a file of this name is in the way");
}

std::string read_beneath_this_folder(const fs::path& path) {
  const auto file = open_beneath(".", path);
  if (!file)
    fail(ErrorCode::file, "{}: is reached through a link, which is not followed; remove the link",
         path.string());
  if (file->size > kMaxBytes)
    fail(ErrorCode::limit, "{}: has {} bytes, at most {} are accepted", path.string(), file->size,
         kMaxBytes);
  std::string bytes(file->size, '\0');
  read_exactly(file->fd, 0, bytes.data(), bytes.size(), path.string());
  return bytes;
}

// Returns a path that the workspace names, or an empty one.
fs::path path_in(const json::Value& root, const char* key) {
  const auto value = root.find(key);
  if (!value) return {};
  const std::string& path = value->string();
  const bool control = std::ranges::any_of(path, [](unsigned char c) { return std::iscntrl(c); });
  if (control || path.size() > kMaxPath) value->reject("is not the path of a file");
  return path;
}

std::string stored(const fs::path& path) {
  if (path.empty()) return "";
  const fs::path absolute = fs::absolute(path).lexically_normal();
  const fs::path relative = absolute.lexically_relative(fs::current_path());
  const bool below = !relative.empty() && *relative.begin() != "..";
  return (below ? relative : absolute).string();
}

}  // namespace

std::optional<Workspace> Workspace::load() {
  const fs::path path = workspace_path();
  if (type_of(path) == fs::file_type::not_found) return std::nullopt;
  const json::Document file =
      json::Document::parse(read_beneath_this_folder(path), path.string(), kKind);
  const json::Value root = file.root();
  root["schema"].must_be(kSchema);
  Workspace workspace{path_in(root, "model"), path_in(root, "statistics"),
                      path_in(root, "converted")};
  if (workspace.model.empty()) root["model"].reject("names no model");
  return workspace;
}

void Workspace::save() const {
  make_real_folder(kFolder);
  const json::Tree json = {{"schema", kSchema},
                           {"model", stored(model)},
                           {"statistics", stored(statistics)},
                           {"converted", stored(converted)}};
  // A path need not be UTF-8. A path that is not can be given explicitly.
  write_file_atomically(workspace_path(), json.text({.indent = 2}) + "\n");
}

bool is_below_this_folder(const fs::path& file) {
  std::error_code ignored;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const fs::path relative =
      fs::weakly_canonical(folder, ignored).lexically_relative(fs::canonical(".", ignored));
  return !relative.empty() && *relative.begin() != "..";
}

std::vector<fs::path> kept_results() {
  std::vector<fs::path> results;
  std::error_code ignored;
  if (!is_real_folder(kFolder) || !is_real_folder(results_folder())) return results;
  for (const auto& entry : fs::directory_iterator(results_folder(), ignored))
    if (type_of(entry.path()) == fs::file_type::regular && entry.path().extension() == ".json" &&
        is_result_file(entry.path()))
      results.push_back(entry.path());
  std::ranges::sort(results);
  return results;
}

namespace {

// Returns a name such as "eval-sst2-model.e4m3", from the model that was evaluated or made.
std::string result_name(const json::Value& result) {
  std::string name = result["command"].string();
  for (const char* key : {"task", "shape"})
    if (const auto text = result.find(key)) name += '-' + text->string();
  const auto file = result.find(result.has("output") ? "output" : "model");
  if (file) name += '-' + fs::path((*file)["path"].string()).stem().string();
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-') c = '_';
  return name;
}

}  // namespace

void keep_result(const std::string& result) try {
  if (!is_real_folder(kFolder)) return;
  const json::Document document = json::Document::parse(result, "the result");
  const json::Value root = document.root();
  if (root["command"].string() == "report") return;
  if (root.has("part")) return;  // a shard has no result to keep; merge makes one
  make_real_folder(results_folder());
  write_file_atomically(results_folder() / (result_name(root) + ".json"),
                        json::with_indent(result, kResultIndent, 1) + "\n");
} catch (const std::exception& e) {
  log_info(fmt::format("this result is not kept for a report: {}", e.what()));
}

void forget_results() {
  std::error_code ignored;
  for (const fs::path& result : kept_results()) fs::remove(result, ignored);
}

Workspace require_workspace(const char* command) {
  auto workspace = Workspace::load();
  if (!workspace)
    fail(ErrorCode::usage,
         "no model is given and this folder has no workspace ({}); run `fp8q calibrate MODEL` here "
         "first, or type `fp8q {} {}`",
         workspace_path().string(), command,
         std::string_view(command) == "report" ? "RESULT.json ..." : "MODEL");
  return *workspace;
}

}  // namespace fp8q::cli
