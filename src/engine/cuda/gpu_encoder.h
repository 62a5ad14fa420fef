// Holds the constants of an Encoder in device memory, in the form that the kernels take.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/cuda/gpu_linear.h"
#include "engine/engine.h"
#include "kernels/cuda/attention.h"
#include "kernels/cuda/rows.h"

namespace fp8q::cuda {

struct GpuNorm {
  DeviceBuffer<float> gamma, beta;
  float epsilon = 0;
  Norm arguments() const { return {gamma.data(), beta.data(), epsilon}; }
};

// Holds a linear layer, or several layers that share their input, with the Sites of that input.
struct GpuStep {
  std::vector<int> input_sites;
  GpuLinear linear;
};

struct GpuAttention {
  Attention arguments;  // the members that depend on the batch are not set
  // Holds the Sites of q, k, v and the probabilities; -1: none.
  std::array<int, 4> sites;
};

struct GpuLayer {
  std::vector<GpuStep> projections;  // one of q k v side by side, or one each for q, k, v
  GpuAttention attention;
  GpuStep attention_output;
  GpuNorm attention_norm;
  GpuStep intermediate;
  Function activation;
  GpuStep output;
  GpuNorm output_norm;

  std::vector<GpuStep*> steps();
  // Returns the product that reads the layer's input, or nullptr if there are several.
  const GpuStep* joint_projection() const {
    return projections.size() == 1 ? &projections.front() : nullptr;
  }
};

struct GpuEmbeddings {
  DeviceBuffer<float> word, position, token_type;
  bool has_type_input = false;
  PositionRule position_rule;
  GpuNorm norm;
  int64_t width = 0;
};

// Holds a linear layer of the head. It reads rows as they are, or those of the first tokens.
struct GpuHeadStage {
  HeadRows input;
  bool per_token;  // one row for every token, else one for every sequence
  int input_site;
  GpuDense dense;

  bool reads_first_tokens() const { return !input.functions.empty(); }
};

class GpuEncoder {
 public:
  // `context` must outlive the object. Throws an Error (unsupported) that names the part that the
  // GPU engine lacks.
  GpuEncoder(const Encoder& encoder, const MatmulContext& context,
             const GpuLinear::Options& options);

  int64_t hidden, widest;  // widest: width of the FFN's inside or of q k v side by side
  GpuEmbeddings embeddings;
  std::optional<GpuStep> projection;  // after the embeddings' norm (ELECTRA)
  std::vector<GpuLayer> layers;
  std::vector<GpuHeadStage> head;
  std::vector<KernelChoice> kernels;  // ordered by Site

  std::vector<GpuStep*> steps();

 private:
  GpuStep make_step(const std::vector<const Linear*>& linears, const GpuLinear::Options& options);
  GpuLayer make_layer(const EncoderLayer& layer, const GpuLinear::Options& options);
  GpuAttention make_attention(const fp8q::Attention& attention);
  void note(int site, const std::string& effective);

  const std::vector<Site>& sites_;  // used only during construction
  const MatmulContext& context_;
};

}  // namespace fp8q::cuda
