// What a linear layer reads: rows of x in the form that its product kernel takes, quantized where
// the layer's input is. Whoever makes x can write them a part at a time while it is in the cache;
// see LinearFeed.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/cpu/activation_sites.h"
#include "engine/cpu/buffer.h"
#include "engine/cpu/rows.h"
#include "engine/weights.h"
#include "kernels/cpu/codec.h"

namespace fp8q::cpu {

// Part of a matrix in rows of floats; x is its first element.
struct MatrixPart {
  const float* x;
  size_t stride;
  Range rows, columns;
};

// Memory of one operand, reused.
struct Operand {
  Buffer<std::byte> values;
  Buffer<float> row_scales;
};

// How x becomes an operand.
class OperandForm {
 public:
  enum class Element {
    f32,
    bf16,        // for oneDNN
    bf16_pairs,  // the second of each two first; see GemmBf16
    i8,          // for oneDNN
    u8,          // codes of INT8 plus 128; see GemmU8
    i16,         // codes of INT8
  };

  OperandForm() = default;
  // x: nullopt: not quantized. Floats are rounded to BF16 where round_to_bf16, as elements of BF16
  // are in any case. `stride`: elements from row to row; what lies beyond `in` is zeros.
  // `row_unit`: the kernel reads rows in whole multiples of it, filled up with zeros.
  OperandForm(Element element, std::optional<ActivationQuantization> x, bool round_to_bf16,
              size_t in, size_t stride, size_t row_unit);

  // The kernel reads x itself: there is no operand.
  bool is_x() const { return element_ == Element::f32 && !x_ && !round_to_bf16_; }
  // A part must have whole rows, because each has a scale of its own.
  bool takes_whole_rows() const { return x_ && x_->per_token; }
  // Parts must begin at multiples of this many columns.
  size_t column_unit() const { return element_ == Element::bf16_pairs ? 2 : 1; }

  // Makes room for `rows` rows, before any part of them is written.
  void reserve(size_t rows, Operand& to) const;
  // Parts that do not overlap can be written from several threads. Returns what quantizing did.
  RoundingCount write(const MatrixPart& part, Operand& to) const;
  // All rows, by all threads.
  RoundingCount write_all(const float* x, size_t stride, size_t rows, Operand& to) const;

  Element element() const { return element_; }
  size_t in() const { return in_; }
  size_t stride() const { return stride_; }
  const std::byte* row(const Operand& operand, size_t row) const {
    return operand.values.data() + row * stride_ * size();
  }
  // Of the rows, where each has its own; else nullptr.
  const float* row_scales(const Operand& operand) const {
    return takes_whole_rows() ? operand.row_scales.data() : nullptr;
  }

 private:
  size_t size() const;  // of an element, bytes
  void round_rows(const MatrixPart& part, std::byte* to) const;
  RoundingCount quantize(const MatrixPart& part, std::byte* to, float* row_scales) const;

  Element element_ = Element::f32;
  std::optional<ActivationQuantization> x_;
  bool round_to_bf16_ = false;
  size_t in_ = 0, stride_ = 0, row_unit_ = 1;
};

// Rows on their way to the linear layer that reads them next: whoever makes them calls take(), from
// any thread.
class LinearFeed {
 public:
  // `site`: of the layer's input, which counts what quantizing does.
  LinearFeed(const OperandForm& form, size_t rows, Operand& to, const ActivationSites& sites,
             int site);
  void take(const MatrixPart& part) const;
  size_t column_unit() const { return form_->column_unit(); }

 private:
  const OperandForm* form_;
  Operand* to_;
  const ActivationSites* sites_;
  int site_;
};

}  // namespace fp8q::cpu
