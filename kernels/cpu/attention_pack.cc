#include "kernels/cpu/attention_pack.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/codec.h"
#include "kernels/cpu/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_pack.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Transposes the first channels of four tokens in registers by blocks of 4 x 4. Returns how many.
HWY_INLINE size_t transpose_four([[maybe_unused]] const float* from, [[maybe_unused]] size_t stride,
                                 [[maybe_unused]] size_t size, [[maybe_unused]] float* to) {
  size_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d4;
  const hn::FixedTag<uint64_t, 2> d2;
  for (; c + 4 <= size; c += 4) {
    const auto r0 = hn::LoadU(d4, from + c);
    const auto r1 = hn::LoadU(d4, from + stride + c);
    const auto r2 = hn::LoadU(d4, from + 2 * stride + c);
    const auto r3 = hn::LoadU(d4, from + 3 * stride + c);
    const auto lo01 = hn::BitCast(d2, hn::InterleaveLower(d4, r0, r1));
    const auto lo23 = hn::BitCast(d2, hn::InterleaveLower(d4, r2, r3));
    const auto hi01 = hn::BitCast(d2, hn::InterleaveUpper(d4, r0, r1));
    const auto hi23 = hn::BitCast(d2, hn::InterleaveUpper(d4, r2, r3));
    float* at = to + c * kPanel;
    hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, lo01, lo23)), d4, at);
    hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, lo01, lo23)), d4, at + kPanel);
    hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, hi01, hi23)), d4, at + 2 * kPanel);
    hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, hi01, hi23)), d4, at + 3 * kPanel);
  }
#endif
  return c;
}

// Packs 16 tokens for each channel.
void pack_transposed(const HeadRows& k, float* packed) {
  const auto [x, stride, tokens, size] = k;
  size_t t = 0;
  for (; t + 4 <= tokens; t += 4) {
    const float* from = x + t * stride;
    float* to = packed + t / kPanel * size * kPanel + t % kPanel;
    for (size_t c = transpose_four(from, stride, size, to); c < size; ++c)
      for (size_t i = 0; i < 4; ++i) to[c * kPanel + i] = from[i * stride + c];
  }
  for (; t < panels(tokens) * kPanel; ++t) {
    float* to = packed + t / kPanel * size * kPanel + t % kPanel;
    for (size_t c = 0; c < size; ++c) to[c * kPanel] = t < tokens ? x[t * stride + c] : 0.0f;
  }
}

// Packs vectors of pairs of tokens, the bits of the first token above those of the second.
void pack_pairs(const HeadRows& v, uint16_t* packed) {
  using D = hn::CappedTag<uint32_t, kPanel>;
  const D d;
  const hn::Rebind<float, D> df;
  constexpr size_t kLanes = hn::MaxLanes(D());
  const size_t depth = paired(v.tokens);
  HWY_ALIGN float narrow[2][kPanel] = {};
  for (size_t p = 0; p < panels(v.size); ++p) {
    const size_t columns = std::min(kPanel, v.size - p * kPanel);
    for (size_t t = 0; t < v.tokens; t += 2) {
      const float* rows[2] = {v.x + t * v.stride + p * kPanel, narrow[1]};
      if (t + 1 < v.tokens) rows[1] = rows[0] + v.stride;
      else std::fill_n(narrow[1], kPanel, 0.0f);
      if (columns < kPanel)
        for (size_t i = 0; i < 2; ++i) {
          std::memmove(narrow[i], rows[i], columns * sizeof(float));
          rows[i] = narrow[i];
        }
      auto* to = reinterpret_cast<uint32_t*>(packed + (p * depth + t) * kPanel);
      for (size_t i = 0; i < kPanel; i += kLanes) {
        const auto upper = hn::BitCast(d, hn::LoadU(df, rows[0] + i));
        const auto lower = hn::BitCast(d, hn::LoadU(df, rows[1] + i));
        hn::StoreU(hn::Or(upper, hn::ShiftRight<16>(lower)), d, to + i);
      }
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(pack_transposed);
HWY_EXPORT(pack_pairs);

void pack_keys(const HeadRows& k, float* packed) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_transposed)(k, packed);
}

// v is already [tokens, size]. The compiler copies a whole row of a panel without a call.
void pack_values(const HeadRows& v, float* packed) noexcept {
  for (size_t p = 0; p < panels(v.size); ++p) {
    const size_t columns = std::min(kPanel, v.size - p * kPanel);
    for (size_t t = 0; t < v.tokens; ++t) {
      const float* from = v.x + t * v.stride + p * kPanel;
      float* to = packed + (p * v.tokens + t) * kPanel;
      if (columns == kPanel) {
        std::memcpy(to, from, kPanel * sizeof(float));
        continue;
      }
      std::memcpy(to, from, columns * sizeof(float));
      std::fill(to + columns, to + kPanel, 0.0f);
    }
  }
}

void pair_rows(const HeadRows& x, uint16_t* pairs) noexcept {
  for (size_t t = 0; t < x.tokens; ++t)
    round_to_bf16_pairs(x.x + t * x.stride, x.size, pairs + t * paired(x.size));
}

// A pair of channels is moved as a float would be.
void pack_key_pairs(const uint16_t* pairs, size_t tokens, size_t size, uint16_t* packed) noexcept {
  const size_t width = paired(size) / 2;
  pack_keys({reinterpret_cast<const float*>(pairs), width, tokens, width},
            reinterpret_cast<float*>(packed));
}

void pack_value_pairs(const HeadRows& v, uint16_t* packed) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_pairs)(v, packed);
}

}  // namespace fp8q::cpu
#endif  // HWY_ONCE
