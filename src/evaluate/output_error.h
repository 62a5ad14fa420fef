// Measures how far the outputs of one model are from those of another: as numbers and, if an output
// holds logits, as decisions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "evaluate/tensor_error.h"

namespace fp8q {

// Tells what the numbers of an output mean.
enum class OutputMeaning {
  numbers,    // hidden states, the result of a regression
  classes,    // each row holds the logits of classes
  positions,  // one number per token: logits of the positions in a sequence
};
// Tells the meaning from what the encoder computes, or from the output's form if no encoder is
// known (nullptr).
OutputMeaning meaning_of(const EngineOutput& output, const Encoder* encoder);

struct OutputError {
  std::string name;
  OutputMeaning meaning = OutputMeaning::numbers;
  bool after_softmax = false;  // classes: the rows hold probabilities in place of logits
  TensorError numbers;
  // The members below are about decisions. Each decision has a distribution P of the reference and
  // Q of the other model.
  size_t decisions = 0;
  size_t equal = 0;   // decisions with the same largest logit; the first of equal logits counts
  double kl_sum = 0;  // KL(P || Q), nats
  double kl_max = 0;
  double loss_sum = 0;  // -log Q(what P decides), nats

  double kl_mean() const { return decisions ? kl_sum / static_cast<double>(decisions) : 0; }
  double loss() const { return decisions ? loss_sum / static_cast<double>(decisions) : 0; }
  double agreement() const {
    return decisions ? static_cast<double>(equal) / static_cast<double>(decisions) : 1;
  }
};

// Sums up the errors of two runs over the same batches, in any order of the batches.
class OutputErrors {
 public:
  // `encoder` is that of the reference (nullptr: none), and must outlive the object.
  explicit OutputErrors(const Encoder* encoder) : encoder_(encoder) {}
  // Throws an Error (unsupported) if the outputs differ in name or width.
  void add(const std::vector<EngineOutput>& reference, const std::vector<EngineOutput>& compared,
           const PackedBatch& batch);
  const std::vector<OutputError>& outputs() const { return outputs_; }

 private:
  const Encoder* encoder_;
  std::vector<OutputError> outputs_;
};

}  // namespace fp8q
