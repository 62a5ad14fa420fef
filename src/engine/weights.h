// The constants of an Encoder in the form the engines take: plain FP32 arrays.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "encoder/encoder.h"

namespace fp8q {

// The weight of a Linear as [in, out], row-major: codes' values, or values, times scales[column].
struct PlainWeight {
  std::optional<Format> format;  // of the codes; else there are values
  std::vector<uint8_t> codes;
  std::vector<float> values;
  std::vector<float> scales;  // [out]; ones where the weight is not quantized

  // Values, those of the codes where there are these.
  std::vector<float> decoded() const;
};

// Float weights with a quantized Site are quantized here. A scale along the input channels or of
// blocks, which cannot be pulled out of the sums, is multiplied in (then there are values).
PlainWeight plain_weight(const Linear& linear, const std::vector<Site>& sites);

// The path of its weight's Site, for messages.
std::string name_of(const Linear& linear, const std::vector<Site>& sites);

// [out]; zeros where the layer has none. Error (bad_model) where it has another number of elements.
std::vector<float> plain_bias(const Linear& linear, const std::vector<Site>& sites);

// Layers that read one tensor as one, their columns side by side; see can_join(). Where formats
// differ (a scale that had to be multiplied in leaves none) there are values: those of the codes of
// layers that have codes, still to be multiplied by their scales.
struct JoinedLinears {
  PlainWeight weight;
  std::vector<float> bias;
};
JoinedLinears join(const std::vector<const Linear*>& linears, const std::vector<Site>& sites);

// Any float tensor as FP32.
std::vector<float> to_floats(const Tensor& tensor);

// The Quantization of an activation Site that an engine can execute: one scale, or one for each
// token. nullopt where the Site is absent or not quantized; Error (unsupported) where it has
// several scales.
struct ActivationQuantization {
  Format format;
  float scale;  // 1 where per_token
  // Inputs of linear layers only:
  bool per_token = false;      // each row has its token_scale()
  std::vector<float> factors;  // of the channels, multiplied first; empty: none
  friend bool operator==(const ActivationQuantization&, const ActivationQuantization&) = default;
};
std::optional<ActivationQuantization> activation_quantization(const std::vector<Site>& sites,
                                                              int site);

// Whether layers that read one tensor can be one product, their columns side by side: they agree in
// width of the input, formats, and the scale of the input.
bool can_join(const std::vector<const Linear*>& linears, const std::vector<Site>& sites);

struct NormWeights {
  // Error (bad_model) where the LayerNorm is not over `width` channels.
  NormWeights(const LayerNorm& norm, size_t width);
  std::vector<float> gamma, beta;
  float epsilon;
};

}  // namespace fp8q
