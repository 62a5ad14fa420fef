// Which matrix products are quantized, as follows from what is asked for at their operands.
// Internal to planning.
//
// A product is quantized only when both its operands are, and when there is a product of their
// formats: E4M3 and E5M2 mix, INT8 and FP8 do not (no tensor core and no cuBLASLt kernel multiplies
// them). Query, key and value products share an input and run as one, so they are quantized
// together or not at all.
#pragma once

#include <map>
#include <vector>

#include "quantize/request.h"

namespace fp8q {

// A MatMul or Gemm, by its node.
struct Product {
  int operands[2] = {-1, -1};  // Sites of inputs 0 and 1
  std::string float_reason;    // empty: it is quantized
};

// By node. A graph whose Sites have only the roles `probabilities` and `other` was not recognized
// as an encoder; there, products with a constant operand and products with probabilities count.
// Error (usage): operands of formats that do not mix.
std::map<size_t, Product> choose_products(const GraphIndex& index, const std::vector<Site>& sites,
                                          const std::vector<SiteRequest>& requests);

}  // namespace fp8q
