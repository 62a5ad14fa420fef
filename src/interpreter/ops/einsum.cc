// Einsum (since 12) supports letters only, no ellipsis, and one or two operands. Every output
// element is the sum over the indices that do not occur in the output.
#include <algorithm>

#include "base/checked.h"
#include "interpreter/ops/elementwise.h"
#include "interpreter/work.h"

namespace fp8q {
namespace {

struct Equation {
  std::vector<std::string> operands;
  std::string output;
  std::string summed;
  std::array<int64_t, 256> lengths{};  // length of each letter's dimension

  Shape shape(const std::string& letters) const {
    Shape result;
    for (const char c : letters) result.push_back(lengths[static_cast<unsigned char>(c)]);
    return result;
  }
};

// Returns the output of an equation without "->": the letters that occur once, in alphabetical
// order.
std::string implicit_output(const std::vector<std::string>& operands) {
  std::string all;
  for (const auto& o : operands) all += o;
  std::string output;
  for (const char c : all)
    if (std::ranges::count(all, c) == 1) output += c;
  std::ranges::sort(output);
  return output;
}

Equation parse(const OpContext& context) {
  std::string text = context.string_attribute("equation", "");
  std::erase(text, ' ');
  constexpr size_t kLongest =
      size_t{4} * kMaxRank;  // two operands, an output of the indices of both
  if (text.size() > kLongest)
    context.refuse("equation \"{}\": has more than {} characters", printable(text), kLongest);
  const size_t arrow = text.find("->");
  Equation e;
  e.operands.emplace_back();
  for (const char c : text.substr(0, arrow)) {
    if (c == ',') e.operands.emplace_back();
    else if (std::isalpha(static_cast<unsigned char>(c))) e.operands.back() += c;
    else context.refuse("equation \"{}\": only letters are supported", printable(text));
  }
  e.output = arrow == std::string::npos ? implicit_output(e.operands) : text.substr(arrow + 2);
  if (e.operands.size() != context.input_count() || e.operands.size() > 2)
    context.refuse("equation \"{}\" for {} inputs", printable(text), context.input_count());
  e.lengths.fill(-1);
  for (size_t i = 0; i < e.operands.size(); ++i) {
    const Shape& shape = context.input(i).shape;
    bool fits = shape.size() == e.operands[i].size();
    for (size_t d = 0; fits && d < shape.size(); ++d) {
      int64_t& length = e.lengths[static_cast<unsigned char>(e.operands[i][d])];
      fits = length < 0 || length == shape[d];
      length = shape[d];
      const char c = e.operands[i][d];
      if (e.output.find(c) == std::string::npos && e.summed.find(c) == std::string::npos)
        e.summed += c;
    }
    if (!fits)
      context.reject("input {} of shape {} does not fit \"{}\"", i, to_string(shape),
                     printable(text));
  }
  for (const char c : e.output)
    if (e.lengths[static_cast<unsigned char>(c)] < 0 || std::ranges::count(e.output, c) != 1)
      context.reject("equation \"{}\" has an unknown or repeated output index", printable(text));
  return e;
}

// Returns how far one step of each index in `letters` moves in a tensor whose dimensions are `own`.
Strides strides_along(const std::string& letters, const std::string& own, const Shape& shape) {
  const Strides row_major = strides_of(shape);
  Strides result;
  for (const char c : letters) {
    int64_t stride = 0;
    for (size_t d = 0; d < own.size(); ++d)
      if (own[d] == c) stride += row_major[d];
    result.push_back(stride);
  }
  return result;
}

}  // namespace

Types infer_einsum(const OpContext& context) {
  require_same_types(context);
  require_numeric(context, context.input(0).dtype);
  const Equation e = parse(context);
  if (!checked_elements(e.shape(e.output + e.summed)))
    fail(ErrorCode::limit, "{}: has more products than fp8q can form", describe(context.node()));
  return {{context.input(0).dtype, e.shape(e.output), std::nullopt}};
}

uint64_t work_of_einsum(const OpContext& context, const Types& outputs) {
  const Equation e = parse(context);
  const auto products = static_cast<uint64_t>(elements(e.shape(e.output + e.summed)));
  return capped_add(products, work_of_reduction(context, outputs));
}

Tensors run_einsum(const OpContext& context, const Types& types) {
  const Equation e = parse(context);
  const Shape summed = e.shape(e.summed);
  // A single operand is multiplied by one.
  const bool pair = e.operands.size() == 2;
  const Tensor a = context.tensor(0).to(DType::f64);
  const Tensor b = pair ? context.tensor(1).to(DType::f64) : Tensor::scalar(1.0);
  const std::string b_own = pair ? e.operands[1] : "";
  const auto strides = [&](const std::string& letters) {
    return std::array<Strides, 2>{strides_along(letters, e.operands[0], a.shape()),
                                  strides_along(letters, b_own, b.shape())};
  };
  Tensor out(DType::f64, types[0].shape);
  double* to = out.mutable_data<double>().data();
  const double* left = a.data<double>().data();
  const double* right = b.data<double>().data();
  const auto inner = strides(e.summed);
  for_each_row<2>(out.shape(), strides(e.output),
                  [&](int64_t position, int64_t count, const auto& at, const auto& step) {
                    for (int64_t i = 0; i < count; ++i) {
                      double sum = 0;
                      for_each_row<2>(
                          summed, inner,
                          [&](int64_t, int64_t length, const auto& start, const auto& stride) {
                            for (int64_t j = 0; j < length; ++j)
                              sum += left[at[0] + i * step[0] + start[0] + j * stride[0]] *
                                     right[at[1] + i * step[1] + start[1] + j * stride[1]];
                          });
                      to[position + i] = sum;
                    }
                  });
  return {out.to(types[0].dtype)};
}

}  // namespace fp8q
