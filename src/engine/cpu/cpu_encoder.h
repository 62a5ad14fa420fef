// Holds the constants of an Encoder in the form that the CPU engine's kernels take.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/cpu/activation_sites.h"
#include "engine/cpu/attention_block.h"
#include "engine/cpu/embedding_block.h"
#include "engine/cpu/prepared_linear.h"
#include "engine/engine.h"

namespace fp8q::cpu {

// Holds a linear layer, or several joined layers that share the Site of their input.
struct LinearStep {
  int input_site, result_site;
  PreparedLinear linear;
};

// Names linear layers that read one tensor and are one product, with their columns side by side.
using JointLinears = std::vector<const Linear*>;
// Returns the products that make q, k and v: one, or one each.
std::vector<JointLinears> projections_of(const EncoderLayer& layer, const std::vector<Site>& sites);

// Returns ProductTypes::expand_codes of all products.
bool expands_codes(const Encoder& encoder);

struct NormStep {
  NormWeights weights;
  int input_site;
};

struct CpuLayer {
  std::vector<LinearStep> projections;  // one of q k v side by side, or one each for q, k, v
  AttentionBlock attention;
  bool attention_residual_rounded;  // the residual sum adds what the projections' Site rounds to
  LinearStep attention_output;
  NormStep attention_norm;
  bool output_residual_rounded;  // the same for the FFN
  LinearStep intermediate;
  Function activation;
  LinearStep output;
  NormStep output_norm;

  // Returns the product that reads the layer's input, or nullptr if there are several.
  const LinearStep* joint_projection() const {
    return projections.size() == 1 ? &projections.front() : nullptr;
  }
};

struct HeadStep {
  HeadRows input;
  bool per_token;  // one row for every token, else one for every sequence
  LinearStep step;
  Function activation;
};

class CpuEncoder {
 public:
  // Throws an Error (unsupported) that names the part that the CPU engine lacks.
  CpuEncoder(const Encoder& encoder, const CpuEngineSettings& settings);

  size_t hidden;
  ActivationSites sites;
  EmbeddingBlock embeddings;
  std::optional<LinearStep> projection;  // after the embeddings' norm (ELECTRA)
  std::vector<CpuLayer> layers;
  std::vector<HeadStep> head;
  std::vector<KernelChoice> kernels;  // ordered by Site, then parts without a Site

 private:
  LinearStep make_step(const JointLinears& linears);
  NormStep make_norm(const LayerNorm& norm) const;
  CpuLayer make_layer(const EncoderLayer& layer);
  void make_layers(const std::vector<EncoderLayer>& all, const CpuEngineSettings& settings);
  void note_sites();
  void note(int site, const std::string& effective);

  const std::vector<Site>& model_sites_;  // used only during construction
  ComputeType compute_;
  bool expand_codes_;  // see ProductTypes
};

}  // namespace fp8q::cpu
