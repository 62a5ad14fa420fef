#include "study/tune_checkpoint.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/interruption.h"

namespace fp8q {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kBeginning = "{\"schema\":\"fp8q/tune-checkpoint/1\"";
constexpr uint64_t kMaxBytes = 64 << 20;

}  // namespace

TuneCheckpoint::TuneCheckpoint(std::filesystem::path path, std::string settings, bool restart)
    : path_(std::move(path)), settings_(std::move(settings)) {
  std::error_code ignored;
  if (!restart && std::filesystem::exists(path_, ignored)) read();
}

void TuneCheckpoint::read() try {
  const auto json = nlohmann::json::parse(read_file(path_, kMaxBytes));
  if (json.at("settings") != settings_) return;
  trials_ = json.at("trials").get<std::vector<double>>();
  for (const auto& [assignment, e] : json.at("evaluations").items())
    evaluations_[assignment] = {e.at("score"), e.at("difference"), e.at("low"), e.at("high")};
} catch (const nlohmann::json::exception&) {
  fail(ErrorCode::bad_data, "{}: is a damaged checkpoint; remove it, or start again with --restart",
       printable(path_.string()));
}

void TuneCheckpoint::write() {
  Json json = {{"schema", "fp8q/tune-checkpoint/1"}, {"settings", settings_}};
  json["trials"] = trials_;
  json["evaluations"] = Json::object();
  for (const auto& [assignment, e] : evaluations_)
    json["evaluations"][assignment] = {
        {"score", e.score}, {"difference", e.difference}, {"low", e.low}, {"high", e.high}};
  constexpr auto kReplace = Json::error_handler_t::replace;
  write_file_atomically(path_, json.dump(-1, ' ', false, kReplace) + "\n");
  announce_checkpoint(path_);
  written_ = std::chrono::steady_clock::now();
}

void TuneCheckpoint::keep_trials(const std::vector<double>& trials, bool complete) {
  trials_ = trials;
  if (complete || std::chrono::steady_clock::now() - written_ >= std::chrono::seconds(1)) write();
}

const KeptEvaluation* TuneCheckpoint::find(const std::string& assignment) const {
  const auto found = evaluations_.find(assignment);
  return found == evaluations_.end() ? nullptr : &found->second;
}

void TuneCheckpoint::keep(const std::string& assignment, const KeptEvaluation& evaluation) {
  evaluations_[assignment] = evaluation;
  write();
}

bool is_tune_checkpoint(const std::filesystem::path& path) { return begins_with(path, kBeginning); }

}  // namespace fp8q
