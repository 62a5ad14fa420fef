// Examines the nodes between q k^T and the softmax: a scale and a mask, or something else.
#include <algorithm>
#include <cmath>
#include <set>

#include "encoder/parts.h"

namespace fp8q::match {
namespace {

// Makes scores of up to `size` in both directions.
Tensor test_scores(const Shape& shape, float size) {
  Tensor x(DType::f32, shape);
  const auto values = x.mutable_data<float>();
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = (static_cast<float>(i * 7919 % 1009) / 504.0f - 1.0f) * size;
  return x;
}

Tensor filled(const Shape& shape, float value) {
  Tensor tensor(DType::f32, shape);
  for (float& v : tensor.mutable_data<float>()) v = value;
  return tensor;
}

bool is_product(float x, float y, float factor) {
  const double expected = static_cast<double>(x) * factor;
  return std::abs(y - expected) <= 1e-5 * std::abs(expected) + 1e-7;
}

bool is_multiple(const Tensor& x, const Tensor& y, float factor) {
  return std::ranges::equal(x.data<float>(), y.data<float>(),
                            [&](float a, float b) { return is_product(a, b, factor); });
}

bool is_activation_op(const Node& node) {
  return is_op(&node, "MatMul") || is_op(&node, "Gemm") || is_op(&node, "Softmax") ||
         is_op(&node, "LayerNormalization");
}

void note_mask_inputs(const Cone& piece, InputRoles& roles) {
  for (const auto& input : piece.open) {
    if (input != roles.ids) note_mask(input, roles);
  }
}

// Runs what is between q k^T and the softmax at one probe.
class Trial {
 public:
  Trial(const View& view, size_t probe, const AttentionPart& attention)
      : view_(view),
        probe_(probe),
        scores_(attention.scores.reading),
        to_(attention.softmax_input) {
    auto piece =
        cone(view, probe, to_, {scores_}, [](const Node& node) { return !is_activation_op(node); });
    if (!piece)
      differ("what is added to the scores of {} depends on activations", view.where(scores_));
    piece_ = std::move(*piece);
  }

  const Cone& piece() const { return piece_; }
  const Shape& shape() const { return view_.probes()[probe_].values.at(scores_).shape; }

  Tensor respond(const Tensor& scores, const InputRoles& roles, const TrialIds& ids) const {
    Tensors given = model_inputs(view_, probe_, roles, ids);
    given.insert_or_assign(scores_, scores);
    Tensor y = run(view_, probe_, piece_, to_, given);
    if (y.size() != scores.size() || y.dtype() != DType::f32)
      differ("{} changes the shape of the scores", view_.where(to_));
    return y;
  }

  // Returns the factor of the scores if nothing is masked. First the exact factor is found, then it
  // is checked that there is nothing but a factor. Small scores show additions, and large scores
  // show limits.
  float scale(const InputRoles& roles, const TrialIds& ids) const {
    const Tensor ones = filled(shape(), 1);
    const Tensor scaled_ones = respond(ones, roles, ids);
    const float factor = scaled_ones.data<float>()[0];
    const auto scales = [&](const Tensor& x) {
      return is_multiple(x, respond(x, roles, ids), factor);
    };
    if (!std::isfinite(factor) || !is_multiple(ones, scaled_ones, factor) ||
        !scales(test_scores(shape(), 5)) || !scales(test_scores(shape(), 1e4f)))
      differ(
          "the scores of {} are not only scaled and masked for padding: a causal or local mask, a "
          "position bias, or a limit",
          view_.where(scores_));
    return factor;
  }

  // Returns whether tokens with the special id are masked as keys, and no others.
  bool masks(const InputRoles& roles, const TrialIds& ids, float factor) const {
    const Tensor ones = filled(shape(), 1);
    const Tensor y = respond(ones, roles, ids);
    if (is_multiple(ones, y, factor)) return false;
    const auto values = y.data<float>();
    const auto keys = static_cast<size_t>(shape().back());
    for (size_t i = 0; i < values.size(); ++i)
      if (is_product(1, values[i], factor) == (ids.at(i % keys) == *ids.special))
        differ("the attention mask of {} depends on the tokens", view_.where(scores_));
    return true;
  }

 private:
  const View& view_;
  size_t probe_;
  const std::string &scores_, &to_;
  Cone piece_;
};

}  // namespace

ScoresPart match_scores(const View& view, const AttentionPart& attention, InputRoles& roles) {
  std::optional<float> scale;
  std::set<int64_t> masked;
  for (size_t probe = 0; probe < view.probes().size(); ++probe) {
    const Trial trial(view, probe, attention);
    note_mask_inputs(trial.piece(), roles);
    for (const TrialIds& ids : ids_to_try(view, probe, trial.piece(), roles)) {
      if (ids.special) {
        if (trial.masks(roles, ids, *scale)) masked.insert(*ids.special);
        continue;
      }
      const float factor = trial.scale(roles, ids);
      if (scale && std::abs(*scale - factor) > 1e-6f * std::abs(factor))
        differ("the scale of the scores of {} depends on the shape",
               view.where(attention.scores.reading));
      if (!scale) scale = factor;
    }
  }
  if (masked.size() > 1)
    differ("the attention mask of {} depends on the tokens", view.where(attention.scores.reading));
  ScoresPart part{.scale = *scale, .masked_id = {}};
  if (!masked.empty()) part.masked_id = static_cast<int32_t>(*masked.begin());
  return part;
}

}  // namespace fp8q::match
