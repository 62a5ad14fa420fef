// Runs a model on packed tokens: sequences one after another, without padding.
//
// On a CPU the results of a sequence do not depend on what it is packed with, nor on the number of
// threads: bit for bit. On a GPU their last bits may (engine/cuda/cuda_engine.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encoder/encoder.h"

namespace fp8q {

// Sequence s has the tokens [offsets[s], offsets[s + 1]).
struct PackedBatch {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;
  std::vector<int32_t> offsets = {0};

  size_t sequences() const { return offsets.size() - 1; }
  size_t tokens() const { return ids.size(); }
  void append(std::span<const int32_t> sequence_ids, std::span<const int32_t> sequence_type_ids);
};

// One graph output: rows x width, a row per sequence or per packed token.
struct EngineOutput {
  std::string name;
  bool per_token = false;
  int64_t width = 0;
  std::vector<float> values;
};

// Sees the float tensor at an activation Site before quantisation, real tokens only: `rows` x
// `columns`, dense. May be called several times per run for one Site (once per sequence for
// attention operands); never concurrently.
using SiteObserver = std::function<void(int site, std::span<const float> values, int64_t columns)>;

struct KernelChoice {
  std::string path;       // Site path, or another part of the model
  std::string requested;  // "e4m3"
  std::string effective;  // "e4m3 as bf16 dot products (oneDNN)"
};

// A part of a forward pass and what it took.
struct StageTime {
  // "embeddings", "qkv", "attention", "attention.output", "norm", "ffn.intermediate" (with its
  // activation), "ffn.output", "head"; an engine may have further ones.
  std::string stage;
  std::string unit;       // Roof::unit that forms its matrix products; empty: it has none
  double seconds = 0;     // of the whole device: threads side by side count as one
  double operations = 0;  // of the matrix products, 2 per multiplication with its addition
};

// What an arithmetic unit of the device does at most: measured, or computed from its clock.
struct Roof {
  std::string unit;  // "fp32", "bf16", "int8", "fp8"
  double operations_per_s = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::vector<EngineOutput> run(const PackedBatch& batch,
                                        const SiteObserver& observer = nullptr) = 0;
  // Runs the batch once and tells how many seconds it took, by the device's own clock where it has
  // one: copies to and from it count, what the host does meanwhile does not.
  virtual double timed_run(const PackedBatch& batch);
  // Runs the batch once and tells where the time goes; where layers differ, a stage comes once for
  // each unit it uses. Empty: the engine cannot tell.
  virtual std::vector<StageTime> profile(const PackedBatch&) { return {}; }
  // Of the units that profile() names; may take a moment. Empty: unknown.
  virtual std::vector<Roof> roofs() { return {}; }
  virtual std::vector<KernelChoice> kernels() const = 0;
  // One line: "cpu" or "cuda", then what it is.
  virtual std::string description() const = 0;
};

enum class ComputeType {
  automatic,  // as the model says: quantised products in their format, all others in FP32
  fp32,
  bf16,  // products of unquantised operands in BF16 with FP32 sums
};

// Error (unsupported) where the encoder has a feature the CPU engine lacks.
std::unique_ptr<Engine> make_cpu_engine(const Encoder& encoder, ComputeType compute);

// Any graph, through the interpreter: each sequence by itself, without padding (with it where
// shapes are fixed). Observers see the Sites' values by name. The model must outlive the engine.
// Error (unsupported): an input that is not token ids, attention mask, token types or positions.
std::unique_ptr<Engine> make_interpreter_engine(const Model& model, const std::vector<Site>& sites);

}  // namespace fp8q
