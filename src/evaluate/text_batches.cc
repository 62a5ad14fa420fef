#include "evaluate/text_batches.h"

namespace fp8q {

std::vector<PackedBatch> batches_of(const std::vector<Encoding>& encodings, size_t sequences) {
  std::vector<PackedBatch> batches;
  for (const Encoding& encoding : encodings) {
    if (batches.empty() || batches.back().sequences() >= sequences ||
        batches.back().tokens() + encoding.ids.size() > kBatchTokens)
      batches.emplace_back();
    batches.back().append(encoding.ids, encoding.type_ids);
  }
  return batches;
}

}  // namespace fp8q
