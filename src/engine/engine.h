// Runs a model on packed tokens: sequences one after another, without padding.
//
// On a CPU the results of a sequence do not depend, bit for bit, on what the sequence is packed
// with or on the number of threads. On a GPU their last bits may depend on the packing
// (engine/cuda/cuda_engine.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encoder/encoder.h"

namespace fp8q {

// Holds packed sequences. Sequence s has the tokens [offsets[s], offsets[s + 1]).
struct PackedBatch {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;
  std::vector<int32_t> offsets = {0};

  size_t sequences() const { return offsets.size() - 1; }
  size_t tokens() const { return ids.size(); }
  void append(std::span<const int32_t> sequence_ids, std::span<const int32_t> sequence_type_ids);
};

// Holds one graph output, [rows, width], with one row for each sequence or each packed token.
struct EngineOutput {
  std::string name;
  bool per_token = false;
  int64_t width = 0;
  std::vector<float> values;
};

// Sees the float tensor at an activation Site before quantization: [rows, columns], dense, rows of
// real tokens only. (An engine on a GPU shows only the operands of products.) An observer may be
// called several times per run for one Site (once per sequence for attention operands), but never
// concurrently.
using SiteObserver = std::function<void(int site, std::span<const float> values, int64_t columns)>;

// Changes the values at an activation Site before anything uses them. This way any rounding can be
// tried on a float model without converting it.
//
// `apply` gets the values of one sequence as an observer does: [rows, columns], dense. Attention
// operands come head after head; the interpreter shows keys transposed, as they enter their
// product. `apply` is called from several threads at once, for different values. Results do not
// depend on the batch, whatever `apply` computes from what it is given.
//
// The values at the input Sites of attention and FFN are also added by a residual sum. `residual`
// says whether the sum adds the changed values (as naive recipes do) or the values from before the
// change (as in recipes that quantize only the operands of products).
struct SiteTransform {
  std::function<void(std::span<float> values, int64_t columns)> apply;  // empty: no change here
  bool residual = false;
};

// Counts what rounding did to the `values` values at an activation Site. Saturated values lie
// beyond the largest code by more than half a step. Underflowed values rounded to zero although
// they are not zero.
struct SiteRounding {
  uint64_t values = 0, saturated = 0, underflowed = 0;
  friend bool operator==(const SiteRounding&, const SiteRounding&) = default;
};

struct KernelChoice {
  std::string path;       // Site path, or another part of the model
  std::string requested;  // "e4m3"
  std::string effective;  // "e4m3 as bf16 dot products, exact; fp32 sums"
};

// Describes a part of a forward pass and the time it took.
struct StageTime {
  std::string stage;      // its name in stages.def
  std::string unit;       // the Roof::unit that forms its matrix products; empty: it has none
  double seconds = 0;     // time of the whole device: threads side by side count once
  double operations = 0;  // of its matrix products, 2 per multiplication with its addition
};

// Describes the most operations that an arithmetic unit of the device can do, either measured or
// computed from its clock.
struct Roof {
  std::string unit;  // "fp32", "bf16", "int8", "fp8"
  double operations_per_s = 0;
};

// Says how fast a device forms products of a format.
struct ProductSpeed {
  std::optional<Format> format;  // of both sides; nullopt: not quantized
  double operations_per_s;       // relative to each other
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::vector<EngineOutput> run(const PackedBatch& batch,
                                        const SiteObserver& observer = nullptr) = 0;
  // Runs the batch with `transforms[site]` applied at every Site. A Site that has a transform must
  // not be quantized. Throws an Error (unsupported) if the engine cannot apply transforms.
  virtual std::vector<EngineOutput> run_transformed(const PackedBatch& batch,
                                                    std::span<const SiteTransform> transforms);
  // Returns the counts of all runs so far, indexed by Site. They are zero where a Site is a weight
  // or not quantized. The result is empty if the engine does not count.
  virtual std::vector<SiteRounding> rounding() const { return {}; }
  // Runs the batch once and returns how many seconds it took, by the device's own clock if it has
  // one. Copies to and from the device count; what the host does meanwhile does not.
  virtual double timed_run(const PackedBatch& batch);
  // Runs the batch once and returns where the time goes. Where layers differ, a stage appears once
  // for each unit it uses. The result is empty if the engine cannot tell.
  virtual std::vector<StageTime> profile(const PackedBatch&) { return {}; }
  // Returns the roofs of the units that profile() names, and may take a moment. The result is empty
  // if they are unknown.
  virtual std::vector<Roof> roofs() { return {}; }
  // Returns the speeds of products that are not quantized, which come first, and of every format's.
  // A CPU measures whole products of the encoder's sizes; elsewhere they are those of the roofs.
  // The result is empty if they are unknown. May take a moment.
  virtual std::vector<ProductSpeed> product_speeds();
  virtual std::vector<KernelChoice> kernels() const = 0;
  virtual std::string device() const = 0;  // "cpu" or "cuda"
  // Returns one line: the device, then what the engine is.
  virtual std::string description() const = 0;
};

enum class ComputeType {
  // Computes as the model says: quantized products in their format, all others in FP32.
  automatic,
  fp32,
  bf16,  // linear layers of unquantized operands in BF16 with FP32 sums
};

struct CpuEngineSettings {
  ComputeType compute = ComputeType::automatic;
  // Is called whenever a layer's weights have been packed, so that the memory they are mapped to
  // can be given back. The call comes from any thread, perhaps while the weights of another layer
  // are being read.
  std::function<void()> layer_ready = nullptr;
  size_t layers_side_by_side = 2;  // packed at the same time, at least 1

  CpuEngineSettings(ComputeType type) : compute(type) {}  // NOLINT: a type is settings
};

// Throws an Error (unsupported) if the encoder has a feature that the CPU engine lacks.
// engine/memory_needs.h tells what it takes.
std::unique_ptr<Engine> make_cpu_engine(const Encoder& encoder, const CpuEngineSettings& settings);

// Throws an Error (unsupported) that names a quantized Site that is not an operand of a product.
// Engines that round only operands use this to refuse such an encoder.
void require_rounded_operands_only(const Encoder& encoder);

// Asserts that `transforms` fit a model's Sites, as run_transformed() requires.
void check_transforms(const std::vector<Site>& sites, std::span<const SiteTransform> transforms);

// Makes an engine that runs any graph through the interpreter. Each sequence runs by itself,
// without padding (or with padding where shapes are fixed). Observers see the Sites' values by
// name. The model must outlive the engine. Throws an Error (unsupported) if an input is not token
// ids, attention mask, token types or positions.
std::unique_ptr<Engine> make_interpreter_engine(const Model& model, const std::vector<Site>& sites);

}  // namespace fp8q
