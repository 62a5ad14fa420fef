// Tells what the outputs of an encoder are, for those who score or compare them.
#pragma once

#include <string>

#include "encoder/encoder.h"

namespace fp8q {

enum class OutputKind {
  hidden_states,  // of every token
  token_logits,   // a head's result for every token
  logits,         // a classifier's result for every sequence, or probabilities made from it
  embedding,      // of a sequence: its tokens pooled, perhaps through a linear layer, or normalized
  pooler,         // of a sequence: its first token through a linear layer with an activation
};

OutputKind kind_of(const Encoder& encoder, const EncoderOutput& output);

// Returns a text such as "sentence embedding: mean of tokens, normalized".
std::string describe(const Encoder& encoder, const EncoderOutput& output);

}  // namespace fp8q
