#include "engine/cpu/attention_block.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/cpu/activation.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/codec.h"

namespace fp8q {
namespace {

// Calls body(from, to) for blocks of rows.
void parallel_rows(size_t rows, const std::function<void(size_t, size_t)>& body) {
  constexpr size_t kRows = 32;
  parallel_for((rows + kRows - 1) / kRows,
               [&](size_t i) { body(i * kRows, std::min((i + 1) * kRows, rows)); });
}

size_t longest(std::span<const int32_t> offsets) {
  int32_t most = 0;
  for (size_t s = 0; s + 1 < offsets.size(); ++s)
    most = std::max(most, offsets[s + 1] - offsets[s]);
  return static_cast<size_t>(most);
}

size_t tokens_of(std::span<const int32_t> offsets, size_t s) {
  return static_cast<size_t>(offsets[s + 1] - offsets[s]);
}

}  // namespace

AttentionBlock::AttentionBlock(const Attention& a, const std::vector<Site>& sites)
    : heads_(static_cast<size_t>(a.heads)),
      head_size_(static_cast<size_t>(a.head_size)),
      scale_(a.scale),
      operands_{
          {a.query_site, a.query_scale, activation_quantization(sites, a.query_site)},
          {a.key_site, a.key_scale, activation_quantization(sites, a.key_site)},
          {a.value_site, 1.0f, activation_quantization(sites, a.value_site)},
      },
      probabilities_{a.probabilities_site, 1.0f,
                     activation_quantization(sites, a.probabilities_site)} {}

void AttentionBlock::run(const Run& args, AttentionScratch& scratch) const {
  scale_operands(args);
  if (args.observer) observe_operands(args, scratch);
  quantize_operands(args);
  if (args.observer && probabilities_.site >= 0) attend_observed(args, scratch);
  else attend(args);
}

void AttentionBlock::scale_operands(const Run& args) const {
  const size_t hidden = heads_ * head_size_;
  for (size_t o = 0; o < 3; ++o) {
    const float factor = operands_[o].factor;
    if (factor == 1.0f) continue;
    parallel_rows(static_cast<size_t>(args.offsets.back()), [&](size_t from, size_t to) {
      for (size_t t = from; t < to; ++t) {
        float* row = args.qkv + (t * 3 + o) * hidden;
        cpu::scale_row(row, factor, hidden, row);
      }
    });
  }
}

void AttentionBlock::observe_operands(const Run& args, AttentionScratch& scratch) const {
  const size_t hidden = heads_ * head_size_;
  for (size_t s = 0; s + 1 < args.offsets.size(); ++s) {
    const size_t tokens = tokens_of(args.offsets, s);
    const auto first = static_cast<size_t>(args.offsets[s]);
    for (size_t o = 0; o < 3; ++o) {
      if (operands_[o].site < 0) continue;
      float* to = scratch.gathered.grow(tokens * hidden);
      for (size_t h = 0; h < heads_; ++h)
        for (size_t t = 0; t < tokens; ++t)
          std::memcpy(to + (h * tokens + t) * head_size_,
                      args.qkv + ((first + t) * 3 + o) * hidden + h * head_size_,
                      head_size_ * sizeof(float));
      (*args.observer)(operands_[o].site, {to, tokens * hidden}, static_cast<int64_t>(head_size_));
    }
  }
}

void AttentionBlock::quantize_operands(const Run& args) const {
  const size_t hidden = heads_ * head_size_;
  const bool any = std::any_of(std::begin(operands_), std::end(operands_),
                               [](const Operand& o) { return o.quantization.has_value(); });
  if (!any) return;
  parallel_rows(static_cast<size_t>(args.offsets.back()), [&](size_t from, size_t to) {
    for (size_t o = 0; o < 3; ++o) {
      const auto& q = operands_[o].quantization;
      if (!q) continue;
      float* x = args.qkv + (from * 3 + o) * hidden;
      cpu::quantize_to_f32({q->format, q->scale, x, 3 * hidden, x, 3 * hidden, to - from, hidden});
    }
  });
}

void AttentionBlock::attend_one(const Run& args, size_t sequence, size_t head, float* scratch,
                                float* probabilities) const {
  const size_t hidden = heads_ * head_size_;
  const auto first = static_cast<size_t>(args.offsets[sequence]);
  const float* q = args.qkv + first * 3 * hidden + head * head_size_;
  const auto& p = probabilities_.quantization;
  cpu::attend_head({.q = q,
                    .k = q + hidden,
                    .v = q + 2 * hidden,
                    .qkv_stride = 3 * hidden,
                    .tokens = tokens_of(args.offsets, sequence),
                    .head_size = head_size_,
                    .qk_scale = operands_[0].scale() * operands_[1].scale(),
                    .score_scale = scale_,
                    .p_format = p ? std::optional(p->format) : std::nullopt,
                    .p_scale = probabilities_.scale(),
                    .out_scale = probabilities_.scale() * operands_[2].scale(),
                    .out = args.out + first * hidden + head * head_size_,
                    .out_stride = hidden,
                    .probabilities = probabilities,
                    .scratch = scratch});
}

void AttentionBlock::attend(const Run& args) const {
  const size_t sequences = args.offsets.size() - 1;
  const size_t need = cpu::attend_scratch(longest(args.offsets), head_size_);
  parallel_for(sequences * heads_, [&](size_t task) {
    thread_local Buffer<float> own;
    attend_one(args, task / heads_, task % heads_, own.grow(need), nullptr);
  });
}

void AttentionBlock::attend_observed(const Run& args, AttentionScratch& scratch) const {
  for (size_t s = 0; s + 1 < args.offsets.size(); ++s) {
    const size_t tokens = tokens_of(args.offsets, s);
    const size_t need = cpu::attend_scratch(tokens, head_size_);
    float* p = scratch.probabilities.grow(heads_ * tokens * tokens);
    parallel_for(heads_, [&](size_t h) {
      thread_local Buffer<float> own;
      attend_one(args, s, h, own.grow(need), p + h * tokens * tokens);
    });
    (*args.observer)(probabilities_.site, {p, heads_ * tokens * tokens},
                     static_cast<int64_t>(tokens));
  }
}

double AttentionBlock::operations(std::span<const int32_t> offsets) const {
  double pairs = 0;  // of tokens
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    const auto tokens = static_cast<double>(tokens_of(offsets, s));
    pairs += tokens * tokens;
  }
  return 4 * pairs * static_cast<double>(heads_ * head_size_);
}

std::string AttentionBlock::effective(int site) const {
  const bool of_scores = site == operands_[0].site || site == operands_[1].site;
  const Operand& a = of_scores ? operands_[0] : probabilities_;
  const Operand& b = of_scores ? operands_[1] : operands_[2];
  if (!a.quantization && !b.quantization) return "fp32";
  if (!a.quantization || !b.quantization) return "fp32 of the dequantised values";
  const Format x = a.quantization->format, y = b.quantization->format;
  std::string name(info(x).name);
  if (x != y) name += " x " + std::string(info(y).name);
  name += " as fp32 products, ";
  if (x != Format::int8 || y != Format::int8) return name + "exact; fp32 sums";
  if (!of_scores) return name + "exact sums up to 1024 tokens";
  return name + (head_size_ <= 1024 ? "exact sums" : "exact; fp32 sums");
}

}  // namespace fp8q
