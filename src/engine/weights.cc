#include "engine/weights.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "kernels/cpu/codec.h"

namespace fp8q {
namespace {

const Site* site_at(const std::vector<Site>& sites, int site) {
  return site < 0 ? nullptr : &sites.at(static_cast<size_t>(site));
}

// Gives the scale of every element of a weight, by row and column as the weight stands in the file.
struct Scales {
  std::vector<float> values;
  int64_t axis = -1;    // -1: one scale for all elements
  int64_t block = 0;    // elements along the axis that share a scale; 0: one scale per index
  int64_t columns = 0;  // number of columns of the blocks' scales

  float at(int64_t row, int64_t column) const {
    int64_t i = 0;
    if (block) i = axis == 0 ? row / block * columns + column : row * columns + column / block;
    else if (axis >= 0) i = axis == 0 ? row : column;
    return values[static_cast<size_t>(i)];
  }
};

Scales scales_of(const Quantization& q, const Linear& linear, const std::string& path) {
  Scales s{to_floats(q.scale)};
  if (s.values.size() != 1 || q.block) s.axis = q.axis.value_or(-1);
  int64_t expected = s.axis < 0 ? 1 : linear.weight.dim(s.axis);
  if (q.block) {
    Shape blocks = linear.weight.shape();
    auto& along = blocks[static_cast<size_t>(s.axis)];
    along = (along + q.block - 1) / q.block;
    if (q.scale.shape() != blocks)
      fail(ErrorCode::bad_model, "{}: scales of shape {} where {} is expected", path,
           to_string(q.scale.shape()), to_string(blocks));
    s.block = q.block;
    s.columns = blocks[1];
    expected = blocks[0] * blocks[1];
  }
  if (static_cast<int64_t>(s.values.size()) != expected)
    fail(ErrorCode::bad_model, "{}: {} scales for {} channels", path, s.values.size(), expected);
  return s;
}

// Returns the codes in the order of the file.
std::vector<uint8_t> codes_of(const Tensor& weight, const Quantization& q, const Scales& scales) {
  const auto n = static_cast<size_t>(weight.size());
  std::vector<uint8_t> codes(n);
  if (format_of(weight.dtype())) {
    std::memcpy(codes.data(), weight.bytes(), n);
    return codes;
  }
  const auto values = to_floats(weight);
  const int64_t columns = weight.dim(1);
  for (size_t i = 0; i < n; ++i) {
    const auto at = static_cast<int64_t>(i);
    codes[i] = encode(q.format, values[i], scales.at(at / columns, at % columns));
  }
  return codes;
}

template <typename T>
std::vector<T> transpose(const std::vector<T>& from, size_t rows, size_t columns) {
  std::vector<T> to(from.size());
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  return to;
}

void append(const std::vector<float>& from, std::vector<float>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

// Copies rows of `width` elements into the rows of a matrix of `all` columns, from `column` on.
template <typename T>
void put_columns(const std::vector<T>& from, size_t width, size_t column, size_t all,
                 std::vector<T>& to) {
  to.resize(from.size() / width * all);
  for (size_t k = 0; k < from.size() / width; ++k)
    std::memcpy(&to[k * all + column], &from[k * width], width * sizeof(T));
}

std::vector<float> decoded_codes(Format format, const std::vector<uint8_t>& codes) {
  std::vector<float> values(codes.size());
  cpu::codes_to_f32(format, codes.data(), codes.size(), 1.0f, values.data());
  return values;
}

}  // namespace

std::vector<float> to_floats(const Tensor& tensor) {
  const Tensor f = tensor.to(DType::f32);
  const auto data = f.data<float>();
  return {data.begin(), data.end()};
}

std::optional<ActivationQuantization> activation_quantization(const std::vector<Site>& sites,
                                                              int site) {
  const Site* s = site_at(sites, site);
  if (!s || !s->quantization) return std::nullopt;
  const Quantization& q = *s->quantization;
  if (q.per_token) return ActivationQuantization{q.format, 1.0f, true, q.factors};
  if (q.scale.size() != 1)
    fail(ErrorCode::unsupported,
         "{}: the activation is quantized with {} scales; the engine takes one per tensor", s->path,
         q.scale.size());
  return ActivationQuantization{q.format, to_floats(q.scale)[0], false, q.factors};
}

std::string name_of(const Linear& linear, const std::vector<Site>& sites) {
  const Site* site = site_at(sites, linear.weight_site);
  return site ? site->path : "a linear layer";
}

std::vector<float> PlainWeight::decoded() const& {
  return format ? decoded_codes(*format, codes) : values;
}
std::vector<float> PlainWeight::decoded() && {
  return format ? decoded_codes(*format, codes) : std::move(values);
}

std::optional<Format> code_format(const Linear& linear, const std::vector<Site>& sites) {
  const Site* site = site_at(sites, linear.weight_site);
  if (!site || !site->quantization || site->quantization->block) return std::nullopt;
  const Quantization& q = *site->quantization;
  const int64_t out_axis = linear.transposed ? 0 : 1;
  const bool one_scale = q.scale.size() == 1 || !q.axis;
  return one_scale || *q.axis == out_axis ? std::optional(q.format) : std::nullopt;
}

PlainWeight plain_weight(const Linear& linear, const std::vector<Site>& sites) {
  const auto in = static_cast<size_t>(linear.in);
  const auto out = static_cast<size_t>(linear.out);
  const Site* site = site_at(sites, linear.weight_site);
  const std::string path = name_of(linear, sites);
  const Shape expected =
      linear.transposed ? Shape{linear.out, linear.in} : Shape{linear.in, linear.out};
  if (linear.weight.shape() != expected)
    fail(ErrorCode::bad_model, "{}: shape {} where {} is expected", path,
         to_string(linear.weight.shape()), to_string(expected));

  PlainWeight plain;
  plain.scales.assign(out, 1.0f);
  if (!site || !site->quantization) {
    if (format_of(linear.weight.dtype()))
      fail(ErrorCode::bad_model, "{}: 8-bit codes without a scale", path);
    plain.values = to_floats(linear.weight);
  } else {
    const Quantization& q = *site->quantization;
    const auto stored = format_of(linear.weight.dtype());
    if (stored && *stored != q.format)
      fail(ErrorCode::bad_model, "{}: codes of type {} where {} is expected", path,
           name(linear.weight.dtype()), info(q.format).name);
    const Scales scales = scales_of(q, linear, path);
    plain.codes = codes_of(linear.weight, q, scales);
    plain.format = code_format(linear, sites);
    if (plain.format) {
      for (size_t n = 0; n < out; ++n) plain.scales[n] = scales.values[scales.axis < 0 ? 0 : n];
    } else {
      plain.values = decoded_codes(q.format, std::exchange(plain.codes, {}));
      const auto columns = static_cast<size_t>(linear.weight.dim(1));
      for (size_t i = 0; i < plain.values.size(); ++i)
        plain.values[i] *=
            scales.at(static_cast<int64_t>(i / columns), static_cast<int64_t>(i % columns));
    }
  }
  if (linear.transposed) {
    if (plain.format) plain.codes = transpose(plain.codes, out, in);
    else plain.values = transpose(plain.values, out, in);
  }
  return plain;
}

std::vector<float> plain_bias(const Linear& linear, const std::vector<Site>& sites) {
  if (!linear.bias) return std::vector<float>(static_cast<size_t>(linear.out), 0.0f);
  std::vector<float> bias = to_floats(*linear.bias);
  if (static_cast<int64_t>(bias.size()) != linear.out)
    fail(ErrorCode::bad_model, "{}: width {}, but a bias of {} elements", name_of(linear, sites),
         linear.out, bias.size());
  return bias;
}

JoinedLinears join(const std::vector<const Linear*>& linears, const std::vector<Site>& sites) {
  std::vector<PlainWeight> plain;
  JoinedLinears all;
  for (const Linear* l : linears) {
    plain.push_back(plain_weight(*l, sites));
    append(plain.back().scales, all.weight.scales);
    append(plain_bias(*l, sites), all.bias);
  }
  if (plain.size() == 1) return {std::move(plain.front()), std::move(all.bias)};
  if (std::ranges::all_of(plain, [&](const auto& p) { return p.format == plain.front().format; }))
    all.weight.format = plain.front().format;
  const size_t columns = all.weight.scales.size();
  size_t column = 0;
  for (PlainWeight& p : plain) {
    const size_t width = p.scales.size();
    if (all.weight.format) put_columns(p.codes, width, column, columns, all.weight.codes);
    else put_columns(std::move(p).decoded(), width, column, columns, all.weight.values);
    column += width;
  }
  return all;
}

bool can_join(const std::vector<const Linear*>& linears, const std::vector<Site>& sites) {
  const auto format = [&](const Linear& l) -> std::optional<Format> {
    const Site* site = site_at(sites, l.weight_site);
    return site && site->quantization ? std::optional(site->quantization->format) : std::nullopt;
  };
  const Linear& first = *linears.front();
  return std::all_of(linears.begin(), linears.end(), [&](const Linear* l) {
    return l->in == first.in && format(*l) == format(first) &&
           activation_quantization(sites, l->input_site) ==
               activation_quantization(sites, first.input_site);
  });
}

NormWeights::NormWeights(const LayerNorm& norm, size_t width)
    : gamma(to_floats(norm.gamma)), beta(to_floats(norm.beta)), epsilon(norm.epsilon) {
  if (gamma.size() != width || beta.size() != width)
    fail(ErrorCode::bad_model, "a LayerNorm over {} channels has {} scales and {} offsets", width,
         gamma.size(), beta.size());
}

}  // namespace fp8q
