// Keeps what tuning has found out so far in a file, "fp8q/tune-checkpoint/1", which is replaced as
// a whole after every step. A checkpoint is valid for one model, statistics, data and settings. The
// allowed drop is not among the settings, so another drop can be tried without scoring again.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/stopwatch.h"

namespace fp8q {

struct KeptEvaluation {
  double score = 0, difference = 0, low = 0, high = 0;
  friend bool operator==(const KeptEvaluation&, const KeptEvaluation&) = default;
};

class TuneCheckpoint {
 public:
  // `settings` is everything the results depend on, as text. Reads the file if there is one with
  // the same settings. A file with other settings is replaced at the first keep() or keep_trials().
  // Throws an Error (bad_data) if the file begins like a checkpoint but is damaged.
  TuneCheckpoint(std::filesystem::path path, std::string settings, bool restart);

  // The divergences of the trials that estimate harm, in their order, as far as they are known.
  // They are stored about once a second, and when they are `complete`.
  const std::vector<double>& trials() const { return trials_; }
  void keep_trials(const std::vector<double>& trials, bool complete);
  // Finds an evaluation by text_of(assignment). Returns nullptr if it is not scored yet.
  const KeptEvaluation* find(const std::string& assignment) const;
  void keep(const std::string& assignment, const KeptEvaluation& evaluation);

  const std::filesystem::path& path() const { return path_; }

 private:
  void read();
  void write();

  std::filesystem::path path_;
  std::string settings_;
  std::vector<double> trials_;
  std::optional<Stopwatch> since_written_;
  std::map<std::string, KeptEvaluation> evaluations_;
};

// Returns whether the file begins like a checkpoint.
bool is_tune_checkpoint(const std::filesystem::path& path);

}  // namespace fp8q
