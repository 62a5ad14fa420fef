#include "tools/fp8q/workspace.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace fp8q::cli {
namespace {

constexpr const char* kFolder = ".fp8q";
constexpr const char* kSchema = "fp8q/workspace/1";
constexpr uint64_t kMaxBytes = 1 << 20;

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
  const auto json = nlohmann::json::parse(read_file(path, kMaxBytes), nullptr, false);
  const auto text = [&](const char* key) { return json.value(key, std::string()); };
  try {
    if (json.is_object() && text("schema") == kSchema)
      return Workspace{text("model"), text("statistics"), text("converted")};
  } catch (const nlohmann::json::exception&) {  // a field of another type: reported below
  }
  fail(ErrorCode::bad_data, "{}: is not a workspace of this version; remove it and calibrate again",
       path.string());
}

void Workspace::save() const {
  std::error_code error;
  fs::create_directory(kFolder, error);
  if (error) fail(ErrorCode::file, "{}: cannot be made: {}", kFolder, error.message());
  const nlohmann::ordered_json json = {{"schema", kSchema},
                                       {"model", stored(model)},
                                       {"statistics", stored(statistics)},
                                       {"converted", stored(converted)}};
  // A path need not be UTF-8; one that is not can be given explicitly.
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  write_file_atomically(workspace_path(), json.dump(2, ' ', false, kReplace) + "\n");
}

Workspace require_workspace(const char* command) {
  auto workspace = Workspace::load();
  if (!workspace)
    fail(ErrorCode::usage,
         "no model is given and this folder has no workspace ({}); run `fp8q calibrate MODEL` here "
         "first, or type `fp8q {} MODEL`",
         workspace_path().string(), command);
  return *workspace;
}

}  // namespace fp8q::cli
