// Finds the models that tested models are compared with, and runs each of them once.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evaluate/evaluation.h"
#include "quantize/manifest.h"
#include "session/bundle.h"

namespace fp8q {

class Baselines {
 public:
  using Run = std::function<ModelRun(const Bundle&)>;
  // `run` runs a baseline, and `runs` gets what it returns. All arguments must outlive this object.
  Baselines(const EvaluateOptions& options, Run run, std::vector<ModelRun>& runs)
      : options_(options), run_(std::move(run)), runs_(runs) {}

  // Returns the index in `runs` of the model's baseline: the model that the options name, or else
  // the FP32 source that a converted model names, if it is beside the model and is still the same.
  // Returns nullopt if there is none, or if the baseline is the model itself.
  std::optional<size_t> of(const Bundle& bundle, std::vector<std::string>& notes);

 private:
  // Holds a model that was opened to learn its hash.
  using Opened = std::optional<Bundle>;

  std::optional<fs::path> find(const Bundle& bundle, Opened& opened,
                               std::vector<std::string>& notes);
  const std::string& hash_of(const fs::path& path, Opened& opened);
  bool is_source(const fs::path& path, const Manifest& manifest, Opened& opened);

  const EvaluateOptions& options_;
  Run run_;
  std::vector<ModelRun>& runs_;
  std::map<fs::path, std::string> hashes_;  // by path: every model is hashed once
};

}  // namespace fp8q
