#include "study/tune_checkpoint.h"

#include "base/file.h"
#include "base/interruption.h"
#include "json/document.h"
#include "json/tree.h"

namespace fp8q {
namespace {

using json::Tree;
using json::Value;

constexpr const char* kSchema = "fp8q/tune-checkpoint/1";
constexpr std::string_view kBeginning = "{\"schema\":\"fp8q/tune-checkpoint/1\"";
constexpr uint64_t kMaxBytes = 64 << 20;
constexpr json::Kind kKind{.what = "a checkpoint of tuning",
                           .remedy = "remove it, or start again with --restart"};

}  // namespace

TuneCheckpoint::TuneCheckpoint(std::filesystem::path path, std::string settings, bool restart)
    : path_(std::move(path)), settings_(std::move(settings)) {
  std::error_code ignored;
  if (!restart && std::filesystem::exists(path_, ignored)) read();
}

void TuneCheckpoint::read() {
  const json::Document file = json::Document::read(path_, kMaxBytes, kKind);
  const Value root = file.root();
  if (root["settings"].string() != settings_) return;
  trials_ = list_of(root["trials"], [](const Value& trial) { return trial.number(); });
  for (const auto& [assignment, e] : root["evaluations"].members())
    evaluations_[std::string(assignment)] = {e["score"].number(), e["difference"].number(),
                                             e["low"].number(), e["high"].number()};
}

void TuneCheckpoint::write() {
  Tree evaluations = Tree::object();
  for (const auto& [assignment, e] : evaluations_)
    evaluations.add(
        assignment,
        {{"score", e.score}, {"difference", e.difference}, {"low", e.low}, {"high", e.high}});
  const Tree json = {{"schema", kSchema},
                     {"settings", settings_},
                     {"trials", trials_},
                     {"evaluations", evaluations}};
  write_file_atomically(path_, json.text() + "\n");
  announce_checkpoint(path_);
  since_written_ = Stopwatch();
}

void TuneCheckpoint::keep_trials(const std::vector<double>& trials, bool complete) {
  trials_ = trials;
  if (complete || !since_written_ || since_written_->seconds() >= 1) write();
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
