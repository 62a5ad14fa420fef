#include "kernels/cpu/attention.h"

#include <algorithm>

#include "kernels/cpu/activation.h"
#include "kernels/cpu/attention_panels.h"
#include "kernels/cpu/attention_tiles.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/softmax.h"

namespace fp8q::cpu {
namespace {

// Each form of the products is a class with these members, beside scores(), their stride() and
// whether they are integers:
//
//   scratch()         the floats that it takes from AttendHead::scratch
//   prepare_scores()  packs k
//   score()           forms the sums of q k^T, without qk_scale, of up to kRows rows from `from` on
//   quantize()        quantizes scores() when they have become probabilities; returns them as
//                     multiply() takes them
//   given()           returns the caller's probabilities likewise
//   prepare_values()  packs v
//   multiply()        makes the rows of out = p v
//
// Calls f<Products>() with the class of the form.
template <class F>
decltype(auto) with_products(AttentionForm form, const F& f) {
  switch (form) {
    case AttentionForm::f32:
      break;
    case AttentionForm::bf16_dots:
      return f.template operator()<Bf16Products>();
    case AttentionForm::int8_tiles:
      return f.template operator()<TileProducts<int8_t>>();
    case AttentionForm::bf16_tiles:
      return f.template operator()<TileProducts<uint16_t>>();
  }
  return f.template operator()<FloatProducts>();
}

// Calls f(from, rows) for as many rows at a time as the form takes.
template <class Products, class F>
void for_rows(size_t tokens, const F& f) {
  for (size_t from = 0; from < tokens; from += Products::kRows)
    f(from, std::min(Products::kRows, tokens - from));
}

template <class Products>
RoundingCount attend(const AttendHead& a) {
  const Products products(a);
  RoundingCount count;
  products.prepare_scores();
  products.prepare_values();
  for_rows<Products>(a.tokens, [&](size_t from, size_t rows) {
    products.score(from, rows);
    softmax({.x = products.scores(),
             .stride = products.stride(),
             .rows = rows,
             .columns = a.tokens,
             .scale = a.score_scale,
             .sum_scale = a.qk_scale,
             .integer = Products::kIntegerScores});
    products.multiply(from, rows, products.quantize(rows, count));
  });
  return count;
}

template <class Products>
void make_scores(const AttendHead& a, float* scores) {
  const Products products(a);
  float scale[Products::kRows];
  std::fill_n(scale, Products::kRows, a.qk_scale);
  products.prepare_scores();
  for_rows<Products>(a.tokens, [&](size_t from, size_t rows) {
    products.score(from, rows);
    finish_sums({.sum = products.scores(),
                 .integer = Products::kIntegerScores,
                 .sum_stride = products.stride(),
                 .scale = nullptr,
                 .bias = nullptr,
                 .row_scale = scale,
                 .function = Function::none,
                 .out = scores + from * score_stride(a.tokens),
                 .out_stride = score_stride(a.tokens),
                 .rows = rows,
                 .columns = score_stride(a.tokens)});
  });
}

template <class Products>
void make_values(const AttendHead& a, const float* probabilities) {
  const Products products(a);
  products.prepare_values();
  for_rows<Products>(a.tokens, [&](size_t from, size_t rows) {
    const float* p = probabilities + from * score_stride(a.tokens);
    products.multiply(from, rows, products.given(rows, p));
  });
}

}  // namespace

size_t score_stride(size_t tokens) noexcept { return panels(tokens) * kPanel; }

size_t attend_scratch(AttentionForm form, size_t tokens, size_t head_size) noexcept {
  return with_products(form,
                       [&]<class Products>() { return Products::scratch(tokens, head_size); });
}

RoundingCount attend_head(const AttendHead& a) noexcept {
  return with_products(a.form, [&]<class Products>() { return attend<Products>(a); });
}

void attend_scores(const AttendHead& a, float* scores) noexcept {
  with_products(a.form, [&]<class Products>() { make_scores<Products>(a, scores); });
}

void attend_values(const AttendHead& a, const float* probabilities) noexcept {
  with_products(a.form, [&]<class Products>() { make_values<Products>(a, probabilities); });
}

}  // namespace fp8q::cpu
