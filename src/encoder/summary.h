// Summarizes the size of an encoder, for `inspect` and for reports.
#pragma once

#include <string>
#include <string_view>

#include "encoder/encoder.h"

namespace fp8q {

struct EncoderSummary {
  int64_t layers = 0;
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t head_size = 0;
  int64_t ffn = 0;
  int64_t vocabulary = 0;
  int64_t positions = 0;
  int64_t token_types = 0;  // 0: none
  int64_t parameters = 0;   // count of embeddings, layers and head, without scales
  int64_t quantized_sites = 0;
  std::string activation;  // "gelu", "gelu_tanh", "relu"
  std::string head;        // "pooler 384 tanh, classifier 2; first token"
};

EncoderSummary summarize(const Encoder& encoder);

std::string_view name(Activation activation);
std::string_view name(RowFunction function);
// Returns a text such as "hidden states", "mean of tokens, normalized" or "classifier, softmax".
std::string describe(const Encoder& encoder, const HeadRows& rows);

}  // namespace fp8q
