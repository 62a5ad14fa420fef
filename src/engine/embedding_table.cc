#include "engine/embedding_table.h"

#include <algorithm>

#include "base/error.h"
#include "engine/weights.h"
#include "kernels/cpu/codec.h"

namespace fp8q {

RowReader::RowReader(const EmbeddingTable& table, const std::string& what) : rows_(table.rows) {
  if (rows_.rank() != 2)
    fail(ErrorCode::bad_model, "{}: shape {} is not [count, width]", what,
         to_string(rows_.shape()));
  if (rows_.size() == 0)
    fail(ErrorCode::bad_model, "{}: shape {} has no elements", what, to_string(rows_.shape()));
  format_ = format_of(rows_.dtype());
  if (format_) {
    if (!table.row_scales) fail(ErrorCode::bad_model, "{}: 8-bit rows without scales", what);
    scales_ = to_floats(*table.row_scales);
    if (static_cast<int64_t>(scales_.size()) != rows())
      fail(ErrorCode::bad_model, "{}: {} scales for {} rows", what, scales_.size(), rows());
  } else if (rows_.dtype() != DType::f32 && rows_.dtype() != DType::f16 &&
             rows_.dtype() != DType::bf16) {
    fail(ErrorCode::unsupported, "{}: rows of type {}", what, name(rows_.dtype()));
  }
}

void RowReader::read(int64_t row, float* to) const {
  const auto r = static_cast<size_t>(row);
  const size_t n = width();
  const std::byte* from = rows_.bytes() + r * n * element_size(rows_.dtype());
  if (format_)
    return cpu::codes_to_f32(*format_, reinterpret_cast<const uint8_t*>(from), n, scales_[r], to);
  const auto* halves = reinterpret_cast<const uint16_t*>(from);
  if (rows_.dtype() == DType::f16) return cpu::f16_to_f32(halves, n, to);
  if (rows_.dtype() == DType::bf16) {
    for (size_t i = 0; i < n; ++i) to[i] = BFloat16Codec::decode(halves[i]);
    return;
  }
  std::copy_n(reinterpret_cast<const float*>(from), n, to);
}

}  // namespace fp8q
