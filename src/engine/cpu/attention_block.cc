#include "engine/cpu/attention_block.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "base/per_thread.h"
#include "base/threads.h"
#include "kernels/cpu/activation.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/codec.h"
#include "kernels/cpu/softmax.h"

namespace fp8q::cpu {
namespace {

size_t longest(std::span<const int32_t> offsets) {
  int32_t most = 0;
  for (size_t s = 0; s + 1 < offsets.size(); ++s)
    most = std::max(most, offsets[s + 1] - offsets[s]);
  return static_cast<size_t>(most);
}

size_t tokens_of(std::span<const int32_t> offsets, size_t s) {
  return static_cast<size_t>(offsets[s + 1] - offsets[s]);
}

// Returns the number of pairs of tokens that attend to each other.
size_t pairs(std::span<const int32_t> offsets) {
  size_t sum = 0;
  for (size_t s = 0; s + 1 < offsets.size(); ++s)
    sum += tokens_of(offsets, s) * tokens_of(offsets, s);
  return sum;
}

// Copies rows of `width` floats between memory where they are `stride` apart and memory without
// gaps.
struct Strided {
  float* x;
  size_t stride, rows, width;
  void gather(float* to) const {
    for (size_t r = 0; r < rows; ++r)
      std::memcpy(to + r * width, x + r * stride, width * sizeof(float));
  }
  void scatter(const float* from) const {
    for (size_t r = 0; r < rows; ++r)
      std::memcpy(x + r * stride, from + r * width, width * sizeof(float));
  }
};

AttentionOperand operand_of(int site, float factor, size_t head_size,
                            const std::vector<Site>& sites) {
  AttentionOperand operand{site, {}, activation_quantization(sites, site)};
  if (factor != 1.0f) operand.factors.assign(head_size, factor);
  return operand;
}

}  // namespace

AttentionBlock::AttentionBlock(const Attention& a, const std::vector<Site>& sites,
                               size_t most_tokens)
    : heads_(static_cast<size_t>(a.heads)),
      head_size_(static_cast<size_t>(a.head_size)),
      scale_(a.scale),
      operands_{{
          operand_of(a.query_site, a.query_scale, head_size_, sites),
          operand_of(a.key_site, a.key_scale, head_size_, sites),
          operand_of(a.value_site, 1.0f, head_size_, sites),
      }},
      probabilities_(operand_of(a.probabilities_site, 1.0f, head_size_, sites)),
      scores_site_(a.scores_site),
      form_(choose_form(operands_, probabilities_,
                        std::max(head_size_, most_tokens) <= kMostExactCodes)) {}

HeadsLayout AttentionBlock::layout(size_t tokens) const {
  return {heads_, head_size_, tokens, &element_of(form_)};
}

// Returns whether scores and probabilities of all heads must be in memory.
bool AttentionBlock::in_steps(const SitePass& pass) const {
  return pass.is_watched(probabilities_.site) || pass.is_active(scores_site_);
}

bool AttentionBlock::is_watched(const SitePass& pass) const {
  return std::ranges::any_of(operands_,
                             [&](const AttentionOperand& o) { return pass.is_watched(o.site); });
}

std::optional<HeadsFeed> AttentionBlock::feed(float* to, size_t tokens, const SitePass& pass,
                                              size_t first_column) const {
  if (in_steps(pass) || is_watched(pass)) return std::nullopt;
  return HeadsFeed(operands_, layout(tokens), to, *pass.sites, first_column);
}

void AttentionBlock::run(const Run& given, AttentionScratch& scratch) const {
  count_values(given);
  const Run args = given.fed ? given : sorted(given, scratch);
  const SitePass& pass = *args.pass;
  if (given.fed || !in_steps(pass)) return attend(args);
  const size_t sequences = args.offsets.size() - 1;
  if (pass.observer) {  // an observer sees the sequences in order
    for (size_t s = 0; s < sequences; ++s) attend_in_steps(args, s, scratch);
  } else {
    parallel_for(sequences, [&](size_t s) {
      static const PerThread<AttentionScratch> memory;
      attend_in_steps(args, s, memory.own());
    });
  }
  feed_rows(args);
}

void AttentionBlock::feed_rows(const Run& args) const {
  if (!args.feed) return;
  const size_t hidden = heads_ * head_size_;
  parallel_rows(static_cast<size_t>(args.offsets.back()), [&](Range rows) {
    args.feed->take({args.out + rows.from * hidden, hidden, rows, {0, hidden}});
  });
}

void AttentionBlock::count_values(const Run& args) const {
  const ActivationSites& sites = *args.pass->sites;
  for (const AttentionOperand& o : operands_)
    if (o.quantization)
      sites.count_values(o.site, static_cast<size_t>(args.offsets.back()) * heads_ * head_size_);
  if (probabilities_.quantization)
    sites.count_values(probabilities_.site, heads_ * pairs(args.offsets));
  if (sites.rounding(scores_site_)) sites.count_values(scores_site_, heads_ * pairs(args.offsets));
}

void AttentionBlock::scale(const Run& args, Range rows) const {
  const size_t hidden = heads_ * head_size_;
  for (size_t o = 0; o < 3; ++o) {
    if (operands_[o].factors.empty()) continue;
    for (size_t t = rows.from; t < rows.to; ++t) {
      float* x = args.qkv + (t * 3 + o) * hidden;
      scale_row(x, operands_[o].factors[0], hidden, x);
    }
  }
}

// Scales the operands, shows them, and hands them to a HeadsFeed.
AttentionBlock::Run AttentionBlock::sorted(const Run& args, AttentionScratch& scratch) const {
  const auto tokens = static_cast<size_t>(args.offsets.back());
  const size_t width = 3 * heads_ * head_size_;
  parallel_rows(tokens, [&](Range rows) { scale(args, rows); });
  show_operands(args, scratch);
  QkvOperands scaled = operands_;
  for (AttentionOperand& o : scaled) o.factors.clear();
  Run fed = args;
  fed.qkv = scratch.heads.grow(tokens * width);
  fed.fed = true;
  const HeadsFeed feed(scaled, layout(tokens), fed.qkv, *args.pass->sites, 0);
  parallel_rows(tokens, [&](Range rows) {
    feed.take({args.qkv + rows.from * width, width, rows, {0, width}});
  });
  return fed;
}

void AttentionBlock::show_operands(const Run& args, AttentionScratch& scratch) const {
  const size_t hidden = heads_ * head_size_;
  for (size_t s = 0; s + 1 < args.offsets.size(); ++s) {
    const size_t tokens = tokens_of(args.offsets, s);
    const auto first = static_cast<size_t>(args.offsets[s]);
    for (size_t o = 0; o < 3; ++o) {
      const int site = operands_[o].site;
      if (!args.pass->is_watched(site)) continue;
      float* all = scratch.gathered.grow(tokens * hidden);
      const auto head = [&](size_t h) {
        return Strided{args.qkv + (first * 3 + o) * hidden + h * head_size_, 3 * hidden, tokens,
                       head_size_};
      };
      for (size_t h = 0; h < heads_; ++h) head(h).gather(all + h * tokens * head_size_);
      const std::array<int32_t, 2> one = {0, static_cast<int32_t>(heads_ * tokens)};
      args.pass->show(site, {all, head_size_, one});
      if (!args.pass->transform(site)) continue;
      for (size_t h = 0; h < heads_; ++h) head(h).scatter(all + h * tokens * head_size_);
    }
  }
}

AttendHead AttentionBlock::head_of(const Run& args, size_t sequence, size_t head,
                                   float* scratch) const {
  const size_t hidden = heads_ * head_size_;
  const auto first = static_cast<size_t>(args.offsets[sequence]);
  const HeadsLayout heads = layout(static_cast<size_t>(args.offsets.back()));
  const auto rows = [&](size_t operand) {
    return reinterpret_cast<const std::byte*>(args.qkv) + heads.row(operand, head, first);
  };
  const auto& p = probabilities_.quantization;
  return {.form = form_,
          .q = rows(0),
          .k = rows(1),
          .v = rows(2),
          .qkv_stride = head_size_,
          .tokens = tokens_of(args.offsets, sequence),
          .head_size = head_size_,
          .qk_scale = operands_[0].scale() * operands_[1].scale(),
          .score_scale = scale_,
          .p_format = p ? std::optional(p->format) : std::nullopt,
          .p_scale = probabilities_.scale(),
          .out_scale = probabilities_.scale() * operands_[2].scale(),
          .out = args.out + first * hidden + head * head_size_,
          .out_stride = hidden,
          .scratch = scratch};
}

void AttentionBlock::attend(const Run& args) const {
  const size_t sequences = args.offsets.size() - 1, most = longest(args.offsets);
  const size_t need = attend_scratch(form_, most, head_size_);
  const bool feed_heads = args.feed && head_size_ % args.feed->column_unit() == 0;
  parallel_for(sequences * heads_, [&](size_t task) {
    static const PerThread<Buffer<float>> memory, out;
    const size_t sequence = task / heads_, h = task % heads_;
    AttendHead head = head_of(args, sequence, h, memory.own().grow(need));
    if (feed_heads) {
      head.out = out.own().grow(most * head_size_);
      head.out_stride = head_size_;
    }
    const auto count = attend_head(head);
    if (head.p_format) args.pass->sites->count(probabilities_.site, count);
    const auto first = static_cast<size_t>(args.offsets[sequence]);
    if (feed_heads)
      args.feed->take({head.out,
                       head.out_stride,
                       {first, first + head.tokens},
                       {h * head_size_, (h + 1) * head_size_}});
  });
  if (!feed_heads) feed_rows(args);
}

// Computes all heads of one sequence, with their scores and probabilities in memory.
void AttentionBlock::attend_in_steps(const Run& args, size_t s, AttentionScratch& scratch) const {
  const size_t tokens = tokens_of(args.offsets, s), stride = score_stride(tokens);
  const size_t need = attend_scratch(form_, tokens, head_size_);
  const SitePass& pass = *args.pass;
  float* matrices = scratch.matrices.grow(heads_ * tokens * stride);
  const auto each_head = [&](const auto& body) {
    parallel_for(heads_, [&](size_t h) {
      static const PerThread<Buffer<float>> memory;
      body(head_of(args, s, h, memory.own().grow(need)), matrices + h * tokens * stride);
    });
  };
  each_head([&](const AttendHead& head, float* m) { attend_scores(head, m); });
  show_matrices(args, scores_site_, tokens, scratch);
  each_head([&](const AttendHead& head, float* m) {
    if (const auto& q = pass.sites->rounding(scores_site_)) {
      const auto count = round_to_f32({q->format, q->scale, m, stride, m, stride, tokens, tokens});
      pass.sites->count(scores_site_, count);
    }
    softmax({m, stride, tokens, tokens, head.score_scale});
  });
  show_matrices(args, probabilities_.site, tokens, scratch);
  each_head([&](const AttendHead& head, float* m) {
    if (const auto& q = probabilities_.quantization) {
      const auto count =
          quantize_to_f32({q->format, q->scale, m, stride, m, stride, tokens, tokens});
      pass.sites->count(probabilities_.site, count);
    }
    attend_values(head, m);
  });
}

void AttentionBlock::show_matrices(const Run& args, int site, size_t tokens,
                                   AttentionScratch& scratch) const {
  if (!args.pass->is_watched(site)) return;
  const size_t stride = score_stride(tokens);
  const Strided all{scratch.matrices.data(), stride, heads_ * tokens, tokens};
  float* dense = scratch.matrices.data();
  if (stride != tokens) all.gather(dense = scratch.gathered.grow(heads_ * tokens * tokens));
  const std::array<int32_t, 2> one = {0, static_cast<int32_t>(heads_ * tokens)};
  args.pass->show(site, {dense, tokens, one});
  if (stride != tokens && args.pass->transform(site)) all.scatter(dense);
}

double AttentionBlock::operations(std::span<const int32_t> offsets) const {
  return 4 * static_cast<double>(pairs(offsets)) * static_cast<double>(heads_ * head_size_);
}

std::string AttentionBlock::effective(int site) const {
  const bool of_scores = site == operands_[0].site || site == operands_[1].site;
  const AttentionOperand& a = of_scores ? operands_[0] : probabilities_;
  const AttentionOperand& b = of_scores ? operands_[1] : operands_[2];
  if (!a.quantization && !b.quantization) return "fp32";
  if (!a.quantization || !b.quantization) return "fp32 of the dequantized values";
  const Format x = a.quantization->format, y = b.quantization->format;
  std::string name(info(x).name);
  if (x != y) name += " x " + std::string(info(y).name);
  name.append(" ").append(products_text(form_)).append(", ");
  if (form_ == AttentionForm::int8_tiles) return name + "exact int32 sums";
  if (!info(x).integer || !info(y).integer) return name + "exact; fp32 sums";
  if (!of_scores) return name + "exact sums up to 1024 tokens";
  return name + (head_size_ <= kMostExactCodes ? "exact sums" : "exact; fp32 sums");
}

}  // namespace fp8q::cpu
