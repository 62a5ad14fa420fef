// Runs a forward pass of an encoder over one micro-batch: holds the memory it needs, and submits
// its kernels in order.
//
// A layer is eight launches: product with q k v side by side, attention, output product, residual
// sum with LayerNorm, FFN-1 product, activation, FFN-2 product, residual sum with LayerNorm.
// Products leave plain sums. The kernel after each product applies scales and bias, and rounds its
// result to what the next product reads. The residual stream is BF16; arithmetic inside a kernel is
// FP32. If each token has a scale, the kernel that rounds a row computes the scale and stores it
// beside the row. The blocks of attention see only one head of a row, so attention then leaves BF16
// to a ninth launch. If GELU is of the tanh form the FFN-1 product may apply it when that is faster
// (gpu_linear.h), which leaves seven launches.
#pragma once

#include <vector>

#include "engine/cuda/batch_input.h"
#include "engine/cuda/gpu_encoder.h"
#include "engine/stage.h"

namespace fp8q::cuda {

// Holds values at activation Sites, FP32 in device memory. They are overwritten after see()
// returns.
struct Seen {
  enum class Rows {
    tokens,         // [tokens, columns]
    heads,          // [tokens, heads * columns]: q, k or v
    probabilities,  // [heads, tokens, tokens] of every sequence, one after another
    first_tokens,   // [tokens, columns]; only the first token of each sequence is at the Site
    sequences,      // [sequences, columns]
  };
  Rows rows;
  std::vector<int> sites;
  const float* values;
  int64_t count;    // number of values
  int64_t columns;  // columns of a row as an observer sees it (probabilities: not used)
};

// Follows a pass while it is submitted, for profiles, observers and messages.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // Is called after the launches of a stage; `linear` is not nullptr if the stage formed a product.
  virtual void after(Stage, const GpuLinear*) {}
  // Returns whether see() is to be called. If so, kernels write more than a pass needs.
  virtual bool sees() const { return false; }
  virtual void see(const Seen&) {}
};

class Forward {
 public:
  // `encoder` must outlive the object.
  explicit Forward(GpuEncoder& encoder);

  // Makes room for passes of `bucket` and settles their products' algorithms. Returns true if
  // memory has moved; graphs that were captured before must not run any more then.
  bool prepare(const Bucket& bucket, Stream stream, AlgorithmCache& cache, AlgorithmChoice choice);
  // `input` is in device memory. `probabilities` is the number of elements of the probabilities of
  // all its sequences (needed if the watcher sees).
  void submit(const BatchInput& input, const Bucket& bucket, Stream stream,
              Watcher* watcher = nullptr, int64_t probabilities = 0);

  // These point to device memory that a pass leaves.
  const float* hidden_states() const { return values_.data(); }  // [tokens, hidden]
  const float* head_rows(size_t stage) const { return head_rows_.at(stage).data(); }

 private:
  struct Pass;
  void embed(const Pass& pass);
  void run_layer(const Pass& pass, size_t index);
  void project(const Pass& pass, const GpuLayer& layer);
  void activate(const Pass& pass, const GpuLayer& layer);
  void attend(const Pass& pass, const GpuLayer& layer);
  void observe_operands(const Pass& pass, const GpuLayer& layer, Attention attention);
  void product(const Pass& pass, const GpuStep& step, const void* x, Stage stage);
  Sums sums_of(const Pass& pass, const GpuStep& step, int64_t part = 0) const;
  void add_norm_for(const Pass& pass, const GpuStep& from, const GpuNorm& norm,
                    const GpuStep* next);
  void run_head(const Pass& pass);
  void show(const Pass& pass, const GpuStep* reader, int64_t columns) const;
  const GpuStep* reader_of(size_t layer) const;

  GpuEncoder& encoder_;
  int64_t shared_limit_;

  DeviceBuffer<uint16_t> residual_;
  DeviceBuffer<uint8_t> narrow_, wide_;  // operands of the hidden size, and of the FFN's inside
  DeviceBuffer<uint8_t> sums_;
  // Holds the scales of the last operand's tokens, [tokens]. Projections that stand apart have
  // theirs one after another.
  DeviceBuffer<float> row_scales_;
  DeviceBuffer<float> values_;  // result of the last LayerNorm
  std::vector<DeviceBuffer<float>> head_rows_;
  DeviceBuffer<float> seen_;  // for the watcher
};

}  // namespace fp8q::cuda
