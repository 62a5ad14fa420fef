// Gives the constants of an Encoder in the form the engines take: plain FP32 arrays.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "encoder/encoder.h"

namespace fp8q {

// Holds the weight of a Linear as [in, out], row-major. Its elements are those of `codes` or
// `values`, times scales[column].
struct PlainWeight {
  std::optional<Format> format;  // of the codes; nullopt: `values` holds the weight instead
  std::vector<uint8_t> codes;
  std::vector<float> values;
  std::vector<float> scales;  // [out]; ones if the weight is not quantized

  // Returns the values, without scales; codes are decoded. The second form leaves no values.
  std::vector<float> decoded() const&;
  std::vector<float> decoded() &&;
};

// Float weights with a quantized Site are quantized here. A scale along the input channels or of
// blocks cannot be pulled out of the sums. It is multiplied in, so that the result has values.
PlainWeight plain_weight(const Linear& linear, const std::vector<Site>& sites);

// Returns PlainWeight::format of the layer's weight, which follows from its scales.
std::optional<Format> code_format(const Linear& linear, const std::vector<Site>& sites);

// Returns the path of the Site of the layer's weight, for messages.
std::string name_of(const Linear& linear, const std::vector<Site>& sites);

// Returns the bias, [out], or zeros if the layer has none. Throws an Error (bad_model) if the bias
// has another number of elements.
std::vector<float> plain_bias(const Linear& linear, const std::vector<Site>& sites);

// Holds layers that read one tensor, joined into one layer with their columns side by side; see
// can_join(). If formats differ, the joined weight has values, which are still to be multiplied by
// their scales. The codes of layers that have codes are decoded. (A layer whose scale had to be
// multiplied in has no format.)
struct JoinedLinears {
  PlainWeight weight;
  std::vector<float> bias;
};
JoinedLinears join(const std::vector<const Linear*>& linears, const std::vector<Site>& sites);

// Returns any float tensor as FP32.
std::vector<float> to_floats(const Tensor& tensor);

// Holds the Quantization of an activation Site in a form that an engine can execute: one scale, or
// one for each token. activation_quantization() returns nullopt if the Site is absent or not
// quantized. It throws an Error (unsupported) if the Site has several scales.
struct ActivationQuantization {
  Format format;
  float scale;  // 1 if per_token
  // Only inputs of linear layers have these:
  bool per_token = false;      // each row has its own token_scale()
  std::vector<float> factors;  // by channel, multiplied first; empty: none
  friend bool operator==(const ActivationQuantization&, const ActivationQuantization&) = default;
};
std::optional<ActivationQuantization> activation_quantization(const std::vector<Site>& sites,
                                                              int site);

// Returns whether layers that read one tensor can be one product with their columns side by side.
// They can if they agree in width of the input, formats, and the scale of the input.
bool can_join(const std::vector<const Linear*>& linears, const std::vector<Site>& sites);

struct NormWeights {
  // Throws an Error (bad_model) if the LayerNorm is not over `width` channels.
  NormWeights(const LayerNorm& norm, size_t width);
  std::vector<float> gamma, beta;
  float epsilon;
};

}  // namespace fp8q
