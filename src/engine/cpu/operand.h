// Defines what a linear layer reads: rows of x in the form that its product kernel takes, quantized
// if the layer's input is quantized. The code that makes x can write the rows a part at a time
// while they are in the cache; see LinearFeed.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/cpu/activation_sites.h"
#include "engine/cpu/buffer.h"
#include "engine/cpu/element.h"
#include "engine/cpu/rows.h"
#include "engine/weights.h"

namespace fp8q::cpu {

// Describes a part of a matrix in rows of floats. `x` points to its first element.
struct MatrixPart {
  const float* x;
  size_t stride;
  Range rows, columns;
};

// Holds the memory of one operand. It is reused.
struct Operand {
  Buffer<std::byte> values;
  Buffer<float> row_scales;
};

// Says how x becomes an operand.
class OperandForm {
 public:
  // If `x` is nullopt the operand is not quantized. Its floats are rounded to BF16 if
  // `round_to_bf16`; elements of BF16 are rounded in any case.
  struct Rounding {
    std::optional<ActivationQuantization> x;
    bool round_to_bf16 = false;
  };
  // `stride` is the number of elements from row to row; elements beyond `in` are zeros. Tiles have
  // whole steps, and are filled up with rows of zeros.
  struct Shape {
    size_t in, stride;
  };
  OperandForm(const Element& element, Rounding rounding, const Shape& shape);

  // Returns whether the kernel reads x itself, so that there is no operand.
  bool is_x() const {
    return element_ == &elements::kF32 && !rounding_.x && !rounding_.round_to_bf16;
  }
  // Returns whether a part must have whole rows, because each row has a scale of its own.
  bool takes_whole_rows() const { return rounding_.x && rounding_.x->per_token; }
  // Parts must begin at multiples of this many columns.
  size_t column_unit() const { return element_->group; }

  // Makes room for `rows` rows. Call it before writing any part of them.
  void reserve(size_t rows, Operand& to) const;
  // Writes a part. Parts that do not overlap can be written from several threads. Returns counts of
  // what quantizing did.
  RoundingCount write(const MatrixPart& part, Operand& to) const;
  // Makes room for all rows and writes them, using all threads.
  RoundingCount write_all(const float* x, size_t stride, size_t rows, Operand& to) const;

  size_t in() const { return shape_.in; }
  size_t stride() const { return shape_.stride; }
  // Points to a row, which must be the first of a tile if the operand stands in tiles.
  const std::byte* row(const Operand& operand, size_t row) const {
    return operand.values.data() + row * row_bytes();
  }
  // Points to the scales of the rows if each row has its own, and is nullptr otherwise.
  const float* row_scales(const Operand& operand) const {
    return takes_whole_rows() ? operand.row_scales.data() : nullptr;
  }

 private:
  size_t row_bytes() const { return shape_.stride * element_->bytes; }

  const Element* element_;
  Rounding rounding_;
  Shape shape_;
};

// Takes parts of a matrix as they are made, from any thread. Parts that do not overlap may be taken
// at the same time.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void take(const MatrixPart& part) const = 0;
  // Parts must begin at multiples of this many columns.
  virtual size_t column_unit() const { return 1; }
};

// Takes rows on their way to the linear layer that reads them next.
class LinearFeed final : public RowSink {
 public:
  // `site` is the Site of the layer's input, which counts what quantizing does.
  LinearFeed(const OperandForm& form, size_t rows, Operand& to, const ActivationSites& sites,
             int site);
  void take(const MatrixPart& part) const override;
  size_t column_unit() const override { return form_->column_unit(); }

 private:
  const OperandForm* form_;
  Operand* to_;
  const ActivationSites* sites_;
  int site_;
};

}  // namespace fp8q::cpu
