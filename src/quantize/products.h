// Decides which matrix products are quantized, from what is asked for at their operands. This
// header is internal to planning.
//
// A product is quantized only when both its operands are, and when their formats can be multiplied.
// E4M3 and E5M2 mix. INT8 and FP8 do not, because no tensor core and no cuBLASLt kernel multiplies
// them. Query, key and value products share an input and run as one, so they are quantized together
// or not at all.
#pragma once

#include <map>
#include <vector>

#include "quantize/request.h"

namespace fp8q {

// Describes a MatMul or Gemm: its operands, and whether it is quantized.
struct Product {
  int operands[2] = {-1, -1};  // Sites of inputs 0 and 1
  std::string float_reason;    // empty: it is quantized
};

// Returns the products by the index of their node. In a graph that was not recognized as an encoder
// (is_recognized() in request.h), only products with a constant operand and products with
// probabilities count. Throws an Error (usage) if the formats of two operands do not mix.
std::map<size_t, Product> choose_products(const GraphIndex& index, const std::vector<Site>& sites,
                                          const std::vector<SiteRequest>& requests);

}  // namespace fp8q
