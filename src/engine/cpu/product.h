// Multiplies by the packed weights of a linear layer.
//
// Each product kernel is a class in a file of its own, in products/, and a row of
// products/products.def. A Product owns the form of its operand, the layout of its weights, and
// what follows the sums. The layer that uses it (prepared_linear.h) knows no kernel by name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cpu/machine.h"
#include "engine/cpu/operand.h"
#include "engine/cpu/rows.h"
#include "engine/weights.h"
#include "kernels/cpu/activation.h"
#include "kernels/cpu/roof.h"
#include "numeric/format.h"

namespace fp8q::cpu {

// Names the types of a product's two sides. An unquantized side has no format; both may have been
// rounded to BF16.
struct ProductTypes {
  std::optional<Format> x, w;
  bool rounded_to_bf16 = false;
  // FP8 weights that are multiplied as BF16 are also stored as BF16 instead of being decoded at
  // every use. That takes twice the memory and gives the same bits.
  bool expand_codes = false;

  bool integers() const { return x && w && info(*x).integer && info(*w).integer; }
  // Returns whether BF16 forms the products exactly (all codes are values of BF16), or was asked to
  // form them.
  bool halves() const { return (x && w && !integers()) || rounded_to_bf16; }
};

// Holds what a Product is made of.
struct ProductParts {
  ProductTypes types;
  size_t in, out;
  PlainWeight weight;                       // [in, out]; its own scales are part of `scale`
  std::vector<float> scale, bias;           // by column
  std::optional<ActivationQuantization> x;  // how the operand is quantized

  OperandForm::Rounding rounding() const { return {x, types.rounded_to_bf16}; }
};

class Product {
 public:
  virtual ~Product() = default;
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  // Returns the form of the operand that multiply() reads.
  const OperandForm& form() const { return form_; }

  // Says how the work is divided. A block has at most this many rows and columns. If that makes too
  // few blocks for the threads, they have fewer columns, then fewer rows. Blocks begin at multiples
  // of the units.
  struct Blocks {
    size_t rows, few_rows, row_unit;
    size_t columns, few_columns, column_unit;
  };
  virtual Blocks blocks() const = 0;

  // Describes a block, which is rows and columns of y = f(sum * (s t) + bias).
  struct Block {
    const float* x;  // [rows of the block, in]; read only if form().is_x()
    size_t x_stride;
    const Operand& operand;  // of all rows, unless the form is x itself
    Range rows, columns;
    Function function;
    float* y;  // the block's first element; nullptr if only `feed` needs it
    size_t y_stride;
    const RowSink* feed;  // gets what y gets; may be nullptr
  };
  // May be called from several threads at once.
  virtual void multiply(const Block& block) const = 0;

  // Returns the unit that forms the products.
  virtual Unit unit() const = 0;
  // Says how products and sums are formed, for KernelChoice::effective. `formats` names those of
  // both sides if both are quantized, and is empty otherwise.
  virtual std::string text(const std::string& formats) const = 0;

 protected:
  explicit Product(OperandForm form) : form_(std::move(form)) {}

 private:
  OperandForm form_;
};

struct ProductKernel {
  // Returns whether the kernel forms such products on this machine, and no later row does it
  // better.
  bool (*serves)(const ProductTypes& types, size_t in, const Machine& machine);
  size_t weight_bytes;  // memory of a packed weight; one byte if codes are packed as they are
  // Returns nullptr if these weights do not suit the kernel. Then it has left `parts` as they were.
  std::unique_ptr<Product> (*make)(ProductParts& parts);
};

// Makes a Product by the first kernel of products.def that serves.
std::unique_ptr<Product> make_product(ProductParts parts);

// Returns ProductKernel::weight_bytes of the kernel that forms such products of finite weights.
size_t weight_bytes_of(const ProductTypes& types, size_t in);

}  // namespace fp8q::cpu
