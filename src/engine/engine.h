// Runs a model on packed tokens: sequences one after another, without padding.
//
// Results of a sequence do not depend on what it is packed with, nor on the number of threads: bit
// for bit.
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

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::vector<EngineOutput> run(const PackedBatch& batch,
                                        const SiteObserver& observer = nullptr) = 0;
  virtual std::vector<KernelChoice> kernels() const = 0;
  virtual std::string description() const = 0;  // one line: device, instruction set, threads
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
