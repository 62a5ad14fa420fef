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

// Sees the float tensor at an activation Site before quantization, real tokens only: `rows` x
// `columns`, dense. (An engine on a GPU shows operands of products only.) May be called several
// times per run for one Site (once per sequence for attention operands); never concurrently.
using SiteObserver = std::function<void(int site, std::span<const float> values, int64_t columns)>;

// Changes the values at an activation Site before anything uses them, so that any rounding can be
// tried on a float model without converting it.
//
// `apply` gets the values of one sequence, `rows` x `columns`, dense, as an observer does
// (attention operands: head after head; the interpreter shows keys transposed, as they enter their
// product). It is called from several threads at once, for different values; whatever it computes
// from what it is given, results do not depend on the batch.
//
// The Sites of the inputs of attention and FFN have values that a residual sum adds, too:
// `residual` says whether it adds the changed ones (as naive recipes do) or those from before (as
// in recipes that quantize the operands of products only).
struct SiteTransform {
  std::function<void(std::span<float> values, int64_t columns)> apply;  // empty: none at this Site
  bool residual = false;
};

// What rounding did at an activation Site: of `values` values, those that saturated lie beyond the
// largest code by more than half a step; those that underflowed became zero without being it.
struct SiteRounding {
  uint64_t values = 0, saturated = 0, underflowed = 0;
  friend bool operator==(const SiteRounding&, const SiteRounding&) = default;
};

struct KernelChoice {
  std::string path;       // Site path, or another part of the model
  std::string requested;  // "e4m3"
  std::string effective;  // "e4m3 as bf16 dot products, exact; fp32 sums"
};

// A part of a forward pass and what it took.
struct StageTime {
  std::string stage;      // its name in stages.def
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
  // The same with `transforms[site]` applied at every Site, none of which may be quantized where it
  // has one. Error (unsupported): the engine cannot.
  virtual std::vector<EngineOutput> run_transformed(const PackedBatch& batch,
                                                    std::span<const SiteTransform> transforms);
  // By Site, of all runs so far; zeros where a Site is a weight or not quantized. Empty: the engine
  // does not count.
  virtual std::vector<SiteRounding> rounding() const { return {}; }
  // Runs the batch once and tells how many seconds it took, by the device's own clock where it has
  // one: copies to and from it count, what the host does meanwhile does not.
  virtual double timed_run(const PackedBatch& batch);
  // Runs the batch once and tells where the time goes; where layers differ, a stage comes once for
  // each unit it uses. Empty: the engine cannot tell.
  virtual std::vector<StageTime> profile(const PackedBatch&) { return {}; }
  // Of the units that profile() names; may take a moment. Empty: unknown.
  virtual std::vector<Roof> roofs() { return {}; }
  virtual std::vector<KernelChoice> kernels() const = 0;
  virtual std::string device() const = 0;  // "cpu" or "cuda"
  // One line: the device, then what the engine is.
  virtual std::string description() const = 0;
};

enum class ComputeType {
  automatic,  // as the model says: quantized products in their format, all others in FP32
  fp32,
  bf16,  // products of unquantized operands in BF16 with FP32 sums
};

// Error (unsupported) where the encoder has a feature the CPU engine lacks. `layer_ready` is called
// whenever a layer's weights have been packed, from any thread, perhaps while those of another
// layer are read: memory that they are mapped to can be given back.
std::unique_ptr<Engine> make_cpu_engine(const Encoder& encoder, ComputeType compute,
                                        const std::function<void()>& layer_ready = nullptr);

// Error (unsupported) naming a quantized Site that is no operand of a product: engines that round
// operands only refuse such an encoder so.
void require_rounded_operands_only(const Encoder& encoder);

// Whether `transforms` fit a model's Sites, as run_transformed() asks; it asserts this.
void check_transforms(const std::vector<Site>& sites, std::span<const SiteTransform> transforms);

// Any graph, through the interpreter: each sequence by itself, without padding (with it where
// shapes are fixed). Observers see the Sites' values by name. The model must outlive the engine.
// Error (unsupported): an input that is not token ids, attention mask, token types or positions.
std::unique_ptr<Engine> make_interpreter_engine(const Model& model, const std::vector<Site>& sites);

}  // namespace fp8q
