#include "engine/cpu/embedding_block.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "engine/cpu/buffer.h"
#include "engine/cpu/weights.h"
#include "kernels/cpu/codec.h"
#include "kernels/cpu/norm.h"

namespace fp8q {

RowReader::RowReader(const EmbeddingTable& table, const std::string& what) : rows_(table.rows) {
  if (rows_.rank() != 2)
    fail(ErrorCode::bad_model, "{}: shape {} is not [count, width]", what,
         to_string(rows_.shape()));
  if (rows_.size() == 0)
    fail(ErrorCode::bad_model, "{}: shape {} has no elements", what, to_string(rows_.shape()));
  switch (rows_.dtype()) {
    case DType::f32:
    case DType::f16:
    case DType::bf16:
      break;
    case DType::e4m3:
    case DType::e5m2:
    case DType::i8:
      if (!table.row_scales) fail(ErrorCode::bad_model, "{}: 8-bit rows without scales", what);
      scales_ = to_floats(*table.row_scales);
      if (static_cast<int64_t>(scales_.size()) != rows())
        fail(ErrorCode::bad_model, "{}: {} scales for {} rows", what, scales_.size(), rows());
      break;
    default:
      fail(ErrorCode::unsupported, "{}: rows of type {}", what, name(rows_.dtype()));
  }
}

void RowReader::read(int64_t row, float* to) const {
  const auto r = static_cast<size_t>(row);
  const size_t n = width();
  const std::byte* from = rows_.bytes() + r * n * element_size(rows_.dtype());
  const auto decode_codes = [&](Format format) {
    cpu::codes_to_f32(format, reinterpret_cast<const uint8_t*>(from), n, scales_[r], to);
  };
  switch (rows_.dtype()) {
    case DType::f32:
      std::copy_n(reinterpret_cast<const float*>(from), n, to);
      return;
    case DType::f16:
      return cpu::f16_to_f32(reinterpret_cast<const uint16_t*>(from), n, to);
    case DType::bf16:
      for (size_t i = 0; i < n; ++i)
        to[i] = BFloat16Codec::decode(reinterpret_cast<const uint16_t*>(from)[i]);
      return;
    case DType::e4m3:
      return decode_codes(Format::e4m3);
    case DType::e5m2:
      return decode_codes(Format::e5m2);
    default:
      return decode_codes(Format::int8);
  }
}

NormWeights::NormWeights(const LayerNorm& norm, size_t width)
    : gamma(to_floats(norm.gamma)), beta(to_floats(norm.beta)), epsilon(norm.epsilon) {
  if (gamma.size() != width || beta.size() != width)
    fail(ErrorCode::bad_model, "a LayerNorm over {} channels has {} scales and {} offsets", width,
         gamma.size(), beta.size());
}

EmbeddingBlock::EmbeddingBlock(const Encoder& encoder)
    : word_(encoder.embeddings.word, "word embeddings"),
      position_(encoder.embeddings.position, "position embeddings"),
      has_type_input_(!encoder.token_type_input.empty()),
      position_offset_(encoder.embeddings.position_offset),
      max_positions_(std::min(encoder.max_positions > 0 ? encoder.max_positions : position_.rows(),
                              position_.rows() - position_offset_)),
      norm_(encoder.embeddings.norm, word_.width()) {
  if (encoder.embeddings.token_type)
    token_type_.emplace(*encoder.embeddings.token_type, "token type embeddings");
  if (position_.width() != width() || (token_type_ && token_type_->width() != width()))
    fail(ErrorCode::bad_model, "the embedding tables have different widths");
  if (position_offset_ < 0)
    fail(ErrorCode::unsupported, "positions start at {}, before the position table",
         position_offset_);
}

void EmbeddingBlock::check_sequence(const PackedBatch& batch, size_t sequence) const {
  const int32_t from = batch.offsets[sequence], to = batch.offsets[sequence + 1];
  if (from < 0 || to <= from || to > static_cast<int32_t>(batch.tokens()))
    fail(ErrorCode::bad_data, "sequence {} has no tokens", sequence);
  if (to - from > max_positions_)
    fail(ErrorCode::bad_data, "sequence {} has {} tokens; the model takes at most {}", sequence,
         to - from, max_positions_);
  for (auto t = static_cast<size_t>(from); t < static_cast<size_t>(to); ++t) {
    if (batch.ids[t] < 0 || batch.ids[t] >= word_.rows())
      fail(ErrorCode::bad_data,
           "sequence {}: token id {} is outside the vocabulary of {}; is the tokenizer that of the "
           "model?",
           sequence, batch.ids[t], word_.rows());
    if (!token_type_ || !has_type_input_) continue;
    if (batch.type_ids[t] < 0 || batch.type_ids[t] >= token_type_->rows())
      fail(ErrorCode::bad_data, "sequence {}: token type {} where the model has {}", sequence,
           batch.type_ids[t], token_type_->rows());
  }
}

void EmbeddingBlock::check(const PackedBatch& batch) const {
  if (batch.offsets.empty() || batch.offsets.front() != 0 ||
      batch.offsets.back() != static_cast<int32_t>(batch.tokens()) ||
      batch.type_ids.size() != batch.tokens())
    fail(ErrorCode::bad_data, "the batch's offsets, ids and token types do not fit together");
  for (size_t s = 0; s < batch.sequences(); ++s) check_sequence(batch, s);
}

void EmbeddingBlock::run(const Run& args) const {
  constexpr size_t kTokens = 16;  // per task
  const size_t n = width();
  parallel_for((args.ids.size() + kTokens - 1) / kTokens, [&](size_t task) {
    thread_local Buffer<float> memory;
    float* row = memory.grow(n);
    const size_t from = task * kTokens;
    const size_t to = std::min(from + kTokens, args.ids.size());
    for (size_t t = from; t < to; ++t) {
      float* out = args.out + t * n;
      word_.read(args.ids[t], out);
      if (token_type_) {
        token_type_->read(has_type_input_ ? args.type_ids[t] : 0, row);
        cpu::add_row(row, n, out);
      }
      position_.read(position_offset_ + args.positions[t], row);
      cpu::add_row(row, n, out);
    }
    float* rows = args.out + from * n;
    cpu::norm_rows({.x = rows,
                    .x_stride = n,
                    .residual = nullptr,
                    .residual_stride = 0,
                    .gamma = norm_.gamma.data(),
                    .beta = norm_.beta.data(),
                    .epsilon = norm_.epsilon,
                    .out = rows,
                    .out_stride = n,
                    .rows = to - from,
                    .columns = n});
  });
}

}  // namespace fp8q
