#include "engine/cpu/embedding_block.h"

#include <algorithm>
#include <vector>

#include "base/per_thread.h"
#include "base/threads.h"
#include "engine/cpu/buffer.h"
#include "engine/position_rows.h"
#include "kernels/cpu/norm.h"

namespace fp8q::cpu {

EmbeddingBlock::EmbeddingBlock(const Encoder& encoder)
    : word_(encoder.embeddings.word, "word embeddings"),
      position_(encoder.embeddings.position, "position embeddings"),
      has_type_input_(!encoder.token_type_input.empty()),
      position_rule_(encoder.embeddings.position_rule),
      norm_(encoder.embeddings.norm, word_.width()),
      sum_site_(encoder.embeddings.norm.input_site) {
  if (encoder.embeddings.token_type)
    token_type_.emplace(*encoder.embeddings.token_type, "token type embeddings");
}

void EmbeddingBlock::run(const Run& args) const { run_blocks(args, true); }
void EmbeddingBlock::sum(const Run& args) const { run_blocks(args, false); }

void EmbeddingBlock::run_blocks(const Run& args, bool normalized) const {
  constexpr size_t kTokens = 16;  // tokens per task
  const size_t n = width();
  std::vector<int32_t> positions(args.ids.size());
  position_rows(position_rule_, args.ids, args.offsets, positions.data());
  parallel_for((args.ids.size() + kTokens - 1) / kTokens, [&](size_t task) {
    static const PerThread<Buffer<float>> memory;
    float* row = memory.own().grow(n);
    const size_t from = task * kTokens;
    const size_t to = std::min(from + kTokens, args.ids.size());
    for (size_t t = from; t < to; ++t) {
      float* out = args.out + t * n;
      word_.read(args.ids[t], out);
      if (token_type_) {
        token_type_->read(has_type_input_ ? args.type_ids[t] : 0, row);
        add_row(row, n, out);
      }
      position_.read(positions[t], row);
      add_row(row, n, out);
    }
    if (!normalized) return;
    normalize(args.out + from * n, to - from);
    if (args.feed) args.feed->take({args.out + from * n, n, {from, to}, {0, n}});
  });
}

void EmbeddingBlock::normalize(float* rows, size_t count) const {
  norm_rows(norm_, {.x = rows, .out = rows, .rows = count});
}

void norm_rows(const NormWeights& norm, const NormedRows& args) {
  const size_t n = norm.gamma.size();
  norm_rows({.x = args.x,
             .x_stride = n,
             .residual = args.residual,
             .residual_stride = n,
             .gamma = norm.gamma.data(),
             .beta = norm.beta.data(),
             .epsilon = norm.epsilon,
             .out = args.out,
             .out_stride = n,
             .rows = args.rows,
             .columns = n});
}

}  // namespace fp8q::cpu
