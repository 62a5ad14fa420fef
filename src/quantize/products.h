// Which matrix products a recipe quantises. Internal to planning.
#pragma once

#include <map>
#include <vector>

#include "quantize/recipe.h"

namespace fp8q {

// A MatMul or Gemm, by its node.
struct Product {
  int operands[2] = {-1, -1};  // Sites of inputs 0 and 1
  std::string float_reason;    // empty: it is quantised
};

// By node. A graph whose Sites have only the roles `probabilities` and `other` was not recognised
// as an encoder; there, products with a constant operand and products with probabilities count.
std::map<size_t, Product> choose_products(const GraphIndex& index, const std::vector<Site>& sites,
                                          const Recipe& recipe, bool quantize_head);

}  // namespace fp8q
