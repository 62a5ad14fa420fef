// An Evaluation is what running models over the examples of a task yields, before anything is
// scored.
//
// Scores, intervals and differences follow from it alone (evaluation_score.h). Neither models nor
// data are read again. An evaluation may cover a part of the examples. Parts of one run, made on
// any machines, append to the evaluation of the whole. An evaluation is stored as one sealed JSON
// file (json/sealed.h), "fp8q/evaluation/1". Every number is exact. A text that is not UTF-8 gets
// replacement characters, because texts are only shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/part.h"
#include "evaluate/evaluator.h"
#include "evaluate/rounding_facts.h"
#include "fp8q/evaluate.h"
#include "tasks/dataset.h"
#include "tasks/task.h"

namespace fp8q {

// Describes one model's run over the examples.
struct ModelRun {
  FileFacts file;
  std::string format;  // Scores::format
  std::string tokenizer_sha256;
  std::string config_sha256;  // empty: the model has no config.json
  Answers answers;            // without their notes, which are in `notes`
  size_t sequences = 0;
  size_t tokens = 0;
  double seconds = 0;  // time of the engine alone
  std::vector<KernelFacts> kernels;
  std::vector<RoundingCounts> rounding;
  std::string engine;  // Engine::description(), which begins with the device
  std::vector<std::string> notes;

  std::string device() const { return engine.substr(0, engine.find(',')); }
};

struct TestedModel {
  ModelRun run;
  std::optional<size_t> baseline;  // index into Evaluation::baselines
  ExecutionFacts execution;        // includes its baseline if that was run for it
  std::vector<std::string> notes;  // the first model's include those about the data
};

struct Evaluation {
  std::string version;  // version of fp8q
  Task task;            // only what scoring needs: no columns, no files
  std::string split;
  DataFacts data;
  // These are the options on which answers or the choice of examples depend, by name.
  std::vector<std::pair<std::string, std::string>> options;
  uint64_t seed = 1;  // seed of the bootstrap
  Part part;
  std::vector<Example> examples;    // examples of the part; span tasks leave the text out
  std::vector<ModelRun> baselines;  // each baseline once
  std::vector<TestedModel> models;  // in the given order

  // Adds what a run of the same kind found on the examples that follow. Counts and seconds add up,
  // and the peak of memory is the largest. Facts about a part itself (paths, engines, kernels,
  // threads) stay those of the first part, with a note if engines differ. There must be no
  // difference(), and the parts must adjoin.
  void append(const Evaluation& other);
};

// Returns what differs between the circumstances of two parts, so that they do not belong to one
// run ("the model (sha256 ...)"). Returns an empty text if nothing differs. Machines may keep files
// in different places.
std::string difference(const Evaluation& a, const Evaluation& b);

// Returns the bytes of the file.
std::string to_json(const Evaluation& evaluation);
// `source` names the bytes in messages. Throws an Error (bad_data) that names the field if the
// bytes are not what to_json() writes.
Evaluation evaluation_from_json(std::string_view bytes, const std::string& source);

void save_evaluation(const Evaluation& evaluation, const fs::path& path);  // atomic
Evaluation load_evaluation(const fs::path& path);
// Returns whether the file begins like an evaluation of fp8q. Returns false if the file cannot be
// read.
bool is_evaluation_file(const fs::path& path);

}  // namespace fp8q
