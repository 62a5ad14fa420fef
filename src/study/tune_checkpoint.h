// What tuning has found out so far, in a file that is replaced whole after every step: "fp8q/tune-
// checkpoint/1". Holds for one model, statistics, data and settings; the allowed drop is none of
// them, so that another drop can be tried without scoring again.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fp8q {

struct KeptEvaluation {
  double score = 0, difference = 0, low = 0, high = 0;
  friend bool operator==(const KeptEvaluation&, const KeptEvaluation&) = default;
};

class TuneCheckpoint {
 public:
  // `settings` is everything the results depend on, as text. Reads the file where there is one of
  // the same settings; one of other settings is replaced at the first keep_...(). Error (bad_data):
  // the file begins as a checkpoint and is damaged.
  TuneCheckpoint(std::filesystem::path path, std::string settings, bool restart);

  // Divergences of the trials that estimate harm, in their order, as far as they are known. Kept
  // about once a second, and when they are `complete`.
  const std::vector<double>& trials() const { return trials_; }
  void keep_trials(const std::vector<double>& trials, bool complete);
  // By text_of(assignment); nullptr: not scored yet.
  const KeptEvaluation* find(const std::string& assignment) const;
  void keep(const std::string& assignment, const KeptEvaluation& evaluation);

  const std::filesystem::path& path() const { return path_; }

 private:
  void read();
  void write();

  std::filesystem::path path_;
  std::string settings_;
  std::vector<double> trials_;
  std::chrono::steady_clock::time_point written_{};
  std::map<std::string, KeptEvaluation> evaluations_;
};

// Whether the file begins as checkpoints do.
bool is_tune_checkpoint(const std::filesystem::path& path);

}  // namespace fp8q
