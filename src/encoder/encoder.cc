#include "encoder/encoder.h"

#include <algorithm>

namespace fp8q {
namespace {

const HeadStage* stage_of(const Encoder& encoder, const HeadRows& rows) {
  return rows.stage == HeadRows::kHiddenStates ? nullptr
                                               : &encoder.head.at(static_cast<size_t>(rows.stage));
}

}  // namespace

bool is_per_token(const Encoder& encoder, const HeadRows& rows) {
  if (std::ranges::any_of(rows.functions, is_pooling)) return false;
  const HeadStage* stage = stage_of(encoder, rows);
  return !stage || is_per_token(encoder, stage->input);
}

int64_t width_of(const Encoder& encoder, const HeadRows& rows) {
  const HeadStage* stage = stage_of(encoder, rows);
  return stage ? stage->linear.out : encoder.hidden;
}

}  // namespace fp8q
