// What running models over the examples of a task yields, before anything is scored.
//
// Scores, intervals and differences follow from it alone (score_evaluation.h): neither models nor
// data are looked at again. An evaluation may be of a part of the examples; parts of one run, made
// on any machines, append to the evaluation of the whole. Stored as one sealed JSON file
// (json/sealed.h), "fp8q/evaluation/1": every number exact, a text that is not UTF-8 with
// replacement characters (texts are shown and not computed with).
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

// One model's run over the examples.
struct ModelRun {
  FileFacts file;
  std::string format;  // Scores::format
  std::string tokenizer_sha256;
  std::string config_sha256;  // empty: the model has no config.json
  Answers answers;            // but for their notes, which are with the others
  size_t sequences = 0;
  size_t tokens = 0;
  double seconds = 0;  // of the engine alone
  std::vector<KernelFacts> kernels;
  std::vector<RoundingCounts> rounding;
  std::string engine;  // Engine::description(), which begins with the device
  std::vector<std::string> notes;

  std::string device() const { return engine.substr(0, engine.find(',')); }
};

struct TestedModel {
  ModelRun run;
  std::optional<size_t> baseline;  // of Evaluation::baselines
  ExecutionFacts execution;        // its baseline included where that was run for it
  std::vector<std::string> notes;  // of the first one, also those about the data
};

struct Evaluation {
  std::string version;  // of fp8q
  Task task;            // what scoring needs: no columns, no files
  std::string split;
  DataFacts data;
  // The options on which answers or the choice of examples depend, by name.
  std::vector<std::pair<std::string, std::string>> options;
  uint64_t seed = 1;  // of the bootstrap
  Part part;
  std::vector<Example> examples;    // of the part; of span tasks without the text
  std::vector<ModelRun> baselines;  // each once
  std::vector<TestedModel> models;  // in the order they were given

  // Adds what a run of the same kind found on the examples that follow. Counts and seconds add up,
  // the peak of memory is the largest. What a part says of itself (paths, engines, kernels,
  // threads) stays that of the first, with a note where engines differ. There must be no
  // difference() and the parts must adjoin.
  void append(const Evaluation& other);
};

// What differs between the circumstances of two parts, so that they are not of one run ("the model
// (sha256 ...)"); empty: nothing. Machines may keep files in different places.
std::string difference(const Evaluation& a, const Evaluation& b);

// The bytes of the file.
std::string to_json(const Evaluation& evaluation);
// `source` names the bytes in messages. Anything but what to_json() writes is an Error (bad_data)
// that names the field.
Evaluation evaluation_from_json(std::string_view bytes, const std::string& source);

void save_evaluation(const Evaluation& evaluation, const fs::path& path);  // atomic
Evaluation load_evaluation(const fs::path& path);
// Whether the file begins as fp8q writes evaluations. False also where it cannot be read.
bool is_evaluation_file(const fs::path& path);

}  // namespace fp8q
