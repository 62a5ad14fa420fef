// Is the base of products by AMX tiles (kernels/cpu/tiles.h).
#pragma once

#include <vector>

#include "engine/cpu/buffer.h"
#include "engine/cpu/product.h"
#include "kernels/cpu/tiles.h"

namespace fp8q::cpu::products {

class TilesProduct : public Product {
 public:
  Blocks blocks() const final;
  void multiply(const Block& block) const final;

 protected:
  // Takes scales and biases out of `parts`. The kernel's sums are those of the values divided by
  // `sum_scale`.
  TilesProduct(TileType type, ProductParts& parts, float sum_scale = 1.0f);

  // Returns where the panels of some columns, which begin a panel, stand in packed weights.
  size_t first_of(Range columns) const { return columns.from * form().stride(); }
  // Returns the packed panels of some columns, which begin a panel. `memory` belongs to the thread.
  virtual const std::byte* panels(Range columns, Buffer<std::byte>& memory) const = 0;

 private:
  TileType type_;
  size_t steps_;
  std::vector<float> scale_, bias_;
};

}  // namespace fp8q::cpu::products
