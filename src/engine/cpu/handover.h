// Holds the operand on its way from the code that makes rows to the linear layer that reads them
// next.
//
// There are two: a layer reads one while its results become the other. The code that makes rows
// offers them to their only reader. What it gets takes the rows, quantized, while they are in the
// cache. The reader takes the operand; if none was offered to it, it makes one in the same place.
#pragma once

#include <optional>

#include "engine/cpu/cpu_encoder.h"
#include "engine/cpu/operand.h"

namespace fp8q::cpu {

class Handover {
 public:
  // Returns what takes `rows` rows on their way to `reader`. The result is valid until the next
  // call of offer().
  const RowSink* offer(const LinearStep& reader, size_t rows, const ActivationSites& sites) {
    offered_to_ = &reader;
    return &feed_.emplace(reader.linear.form(), rows, operands_[1 - current_], sites,
                          reader.input_site);
  }
  // Forgets an offer that nobody took.
  void withdraw() { offered_to_ = nullptr; }

  // Makes the offered operand the current one. Returns false if none was offered to `reader`.
  bool take(const LinearStep& reader) {
    if (offered_to_ != &reader) return false;
    offered_to_ = nullptr;
    current_ = 1 - current_;
    return true;
  }
  // Returns the operand of the layer that runs.
  Operand& current() { return operands_[current_]; }

 private:
  Operand operands_[2];
  size_t current_ = 0;
  const LinearStep* offered_to_ = nullptr;
  std::optional<LinearFeed> feed_;
};

}  // namespace fp8q::cpu
