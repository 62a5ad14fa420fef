#include "tools/fp8q/workspace.h"

#include <cctype>

#include "base/error.h"
#include "base/file.h"
#include "json/document.h"
#include "json/layout.h"
#include "json/tree.h"
#include "report/json.h"
#include "tools/fp8q/output.h"

namespace fp8q::cli {
namespace {

constexpr const char* kFolder = ".fp8q";
constexpr const char* kSchema = "fp8q/workspace/1";
constexpr uint64_t kMaxBytes = 1 << 20;
constexpr json::Kind kKind{.what = "a workspace of this version",
                           .remedy = "remove it and calibrate again"};

fs::path workspace_path() { return fs::path(kFolder) / "workspace.json"; }

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
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  const json::Document file = json::Document::read(path, kMaxBytes, kKind);
  const json::Value root = file.root();
  root["schema"].must_be(kSchema);
  const json::Value model = root["model"];
  if (model.string().empty()) model.reject("names no model");
  return Workspace{model.string(), root.string_or("statistics", ""),
                   root.string_or("converted", "")};
}

void Workspace::save() const {
  std::error_code error;
  fs::create_directory(kFolder, error);
  if (error) fail(ErrorCode::file, "{}: cannot be made: {}", kFolder, error.message());
  const json::Tree json = {{"schema", kSchema},
                           {"model", stored(model)},
                           {"statistics", stored(statistics)},
                           {"converted", stored(converted)}};
  // A path need not be UTF-8. A path that is not can be given explicitly.
  write_file_atomically(workspace_path(), json.text({.indent = 2}) + "\n");
}

fs::path results_folder() { return fs::path(kFolder) / "results"; }

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
  if (std::error_code ignored; !fs::is_directory(kFolder, ignored)) return;
  const json::Document document = json::Document::parse(result, "the result");
  const json::Value root = document.root();
  if (root["command"].string() == "report") return;
  if (root.has("part")) return;  // a shard has no result to keep; merge makes one
  fs::create_directory(results_folder());
  write_file_atomically(results_folder() / (result_name(root) + ".json"),
                        json::with_indent(result, kResultIndent, 1) + "\n");
} catch (const std::exception& e) {
  log_info(fmt::format("this result is not kept for a report: {}", e.what()));
}

void forget_results() {
  std::error_code ignored;
  fs::remove_all(results_folder(), ignored);
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
