#include "tools/fp8q/workspace.h"

#include <spdlog/spdlog.h>

#include <cctype>
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

fs::path results_folder() { return fs::path(kFolder) / "results"; }

namespace {

// "eval-sst2-model.e4m3", of what was evaluated, or made.
std::string result_name(const nlohmann::ordered_json& json) {
  std::string name = json.at("command").get<std::string>();
  const auto add = [&](const nlohmann::ordered_json& text) {
    if (text.is_string()) name += '-', name += text.get<std::string>();
  };
  const auto add_stem = [&](const char* key) {
    if (const auto it = json.find(key); it != json.end() && it->is_object())
      name += '-', name += fs::path(it->value("path", "")).stem().string();
    return json.contains(key);
  };
  if (const auto task = json.find("task"); task != json.end()) add(*task);
  if (const auto shape = json.find("shape"); shape != json.end()) add(*shape);
  if (!add_stem("output")) add_stem("model");
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-') c = '_';
  return name;
}

}  // namespace

void keep_result(const nlohmann::ordered_json& json) try {
  if (std::error_code ignored; !fs::is_directory(kFolder, ignored)) return;
  if (json.is_array()) {
    for (const auto& result : json) keep_result(result);
    return;
  }
  if (json.at("command") == "report") return;
  if (json.contains("part")) return;  // of a shard, which is no result; merge has one
  fs::create_directory(results_folder());
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  write_file_atomically(results_folder() / (result_name(json) + ".json"),
                        json.dump(1, ' ', false, kReplace) + "\n");
} catch (const std::exception& e) {
  spdlog::info("this result is not kept for a report: {}", e.what());
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
