#include "engine/cuda/gpu_linear.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace fp8q::cuda {
namespace {

// Returns a Rounding without its type. `factors` will hold the memory that it refers to.
Rounding rounding_of(const ActivationQuantization& q, const std::string& name,
                     DeviceBuffer<float>& factors) {
  factors = upload(q.factors, name);
  return {
      .format = q.format, .scale = q.scale, .per_token = q.per_token, .factors = factors.data()};
}

}  // namespace

GpuLinear::GpuLinear(const std::vector<const Linear*>& linears, const std::vector<Site>& sites,
                     const MatmulContext& context, const Options& options)
    : context_(context), name_(name_of(*linears.front(), sites)) {
  shape_ = {.tokens = 1, .k = linears.front()->in, .fast_accumulation = options.fast_accumulation};
  for (const Linear* l : linears) shape_.n += l->out;
  const auto x = activation_quantization(sites, linears.front()->input_site);

  auto [weight, bias] = join(linears, sites);
  weight_format_ = weight.format;
  choose_types(x ? std::optional(x->format) : std::nullopt, weight_format_, options.integers);
  if (x) input_ = rounding_of(*x, name_, factors_);
  if (input_.per_token && shape_.k > kMostTokenColumns)
    fail(ErrorCode::unsupported,
         "{}: tokens of {} channels have scales of their own, where the GPU engine takes {}; "
         "--device cpu runs it",
         name_, shape_.k, kMostTokenColumns);
  input_.type = shape_.x;

  weights_ = upload(elements(weight), name_);
  host_scale_ = std::move(weight.scales);
  for (float& s : host_scale_) s = weight_format_ ? s * input_.scale : input_.scale;
  host_bias_ = std::move(bias);
  scale_ = upload(host_scale_, name_);
  bias_ = upload(host_bias_, name_);
}

void GpuLinear::offer(Function activation, const Rounding& next) {
  const bool one_scale = std::all_of(host_scale_.begin(), host_scale_.end(),
                                     [&](float s) { return s == host_scale_.front(); });
  const bool to_fp8 = is_fp8(shape_.x) && next.type == OperandType::e4m3;
  const bool to_bf16 = shape_.x == OperandType::bf16 && !next.format && host_scale_.front() == 1;
  const bool plain = !input_.per_token && !next.per_token && !next.factors;
  if (activation != Function::gelu_tanh || !one_scale || !plain || !(to_fp8 || to_bf16)) return;
  fusible_ = true;
  activation_ = activation;
  next_ = next;
  std::vector<uint16_t> bias;
  for (const float b : host_bias_) bias.push_back(static_cast<uint16_t>(BFloat16Codec::encode(b)));
  fused_bias_ = upload(bias, name_);
  inverse_step_ = upload(std::vector<float>{1.0f / next.scale}, name_);
}

void GpuLinear::choose_types(const std::optional<Format>& x, const std::optional<Format>& w,
                             bool integers) {
  const int capability = context_.device().capability();
  const auto own_x = x ? operand_type(*x) : std::nullopt,
             own_w = w ? operand_type(*w) : std::nullopt;
  if (own_x && own_w && (integers || !is_integer(*own_x))) {
    MatmulShape direct = shape_;
    direct.weights = *own_w;
    direct.x = *own_x;
    direct.sums = is_integer(direct.x) ? SumType::i32 : SumType::bf16;
    if (!unsupported_reason(direct, capability)) {
      shape_ = direct;
      return;
    }
  }
  if (const auto reason = unsupported_reason(shape_, capability))
    fail(ErrorCode::unsupported, "{}: {}; --device cpu runs it", name_, *reason);
}

// Returns the weights as the product reads them: [out][in]. If layers have no format in common, the
// elements are values; codes are decoded and multiplied by their scales.
std::vector<uint8_t> GpuLinear::elements(const PlainWeight& weight) const {
  const auto k = static_cast<size_t>(shape_.k), n = static_cast<size_t>(shape_.n);
  const std::vector<float> values = weight.decoded();
  std::vector<uint8_t> elements(k * n * static_cast<size_t>(element_size(shape_.weights)));
  for (size_t row = 0; row < n; ++row) {
    for (size_t i = 0; i < k; ++i) {
      const float value = values[i * n + row] * (weight.format ? 1.0f : weight.scales[row]);
      const size_t at = row * k + i;
      if (shape_.weights == OperandType::bf16)
        reinterpret_cast<uint16_t*>(elements.data())[at] =
            static_cast<uint16_t>(BFloat16Codec::encode(value));
      else elements[at] = encode(*weight.format, value, 1.0f);  // exact: the value of a code
    }
  }
  return elements;
}

void GpuLinear::prepare(int64_t tokens, const Trials& trials) {
  if (products_.contains(tokens)) return;
  const TrialOperands operands{weights_.data(), trials.x, trials.sums, trials.stream};
  Product product{.sums = make(tokens, Finish::sum)};
  const auto plain = choose_algorithm(*product.sums, operands, trials.cache, trials.choice);
  const auto attempt = [&](Finish finish) { return find(tokens, finish, operands, trials); };
  // Without times there is no reason to prefer scaled_sum.
  if (trials.choice == AlgorithmChoice::timed)
    if (Found scaled = attempt(Finish::scaled_sum);
        scaled.matmul && scaled.microseconds < plain.microseconds) {
      product.sums = std::move(scaled.matmul);
      product.scaled = true;
    }
  if (fusible_) {
    auto fused = attempt(Finish::gelu).matmul;
    if (fused && (trials.choice != AlgorithmChoice::timed || is_faster(*fused, product, trials)))
      product.fused = std::move(fused);
  }
  products_.emplace(tokens, std::move(product));
}

// Both are timed now, because times in the cache were measured at another time, and of products
// alone. The memory is that of a forward pass, and the results go to the next product's input. Its
// contents do not matter, since both read the same.
bool GpuLinear::is_faster(const Matmul& fused, const Product& apart, const Trials& trials) const {
  const int64_t tokens = fused.shape().tokens;
  const auto both = microseconds_of(trials.stream, [&] {
    apart.sums->run({weights_.data(), trials.hidden, trials.sums}, trials.stream);
    transform({.sums = sums(apart, trials.sums, nullptr),
               .function = activation_,
               .tokens = tokens,
               .columns = out(),
               .out = {.operand = {trials.x, next_}}},
              trials.stream);
    check_launches("activation");
    return true;
  });
  const auto one = microseconds_of(trials.stream, [&] {
    fused.run({weights_.data(), trials.hidden, trials.x}, trials.stream);
    return true;
  });
  return one && both && *one < *both;
}

std::unique_ptr<Matmul> GpuLinear::make(int64_t tokens, Finish finish) const {
  MatmulShape shape = shape_;
  shape.tokens = tokens;
  shape.finish = finish;
  return std::make_unique<Matmul>(
      context_, shape, MatmulConstants{scale_.data(), fused_bias_.data(), inverse_step_.data()});
}

// A product that cuBLASLt may be unable to form is only tried: by its documentation, then by its
// heuristic, then by running it. Its refusals have many statuses.
GpuLinear::Found GpuLinear::find(int64_t tokens, Finish finish, const TrialOperands& operands,
                                 const Trials& trials) const try {
  Found found{make(tokens, finish), 0};
  const auto chosen = find_algorithm(*found.matmul, operands, trials.cache, trials.choice);
  if (!chosen) return {};
  found.microseconds = chosen->microseconds;
  return found;
} catch (const Error& e) {
  if (e.code() == ErrorCode::limit) throw;
  return {};
}

void GpuLinear::run(int64_t tokens, const void* x, void* sums, Stream stream) const {
  products_.at(tokens).sums->run({weights_.data(), x, sums}, stream);
}

Sums GpuLinear::sums(int64_t tokens, const void* data, const float* row_scales) const {
  return sums(products_.at(tokens), data, row_scales);
}

Sums GpuLinear::sums(const Product& product, const void* data, const float* row_scales) const {
  return {data, shape_.sums, product.scaled ? nullptr : scale_.data(), bias_.data(),
          input_.per_token ? row_scales : nullptr};
}

bool GpuLinear::fused(int64_t tokens) const { return products_.at(tokens).fused != nullptr; }

void GpuLinear::run_fused(int64_t tokens, const void* x, void* operand, Stream stream) const {
  products_.at(tokens).fused->run({weights_.data(), x, operand}, stream);
}

std::string GpuLinear::unit() const {
  if (shape_.x == OperandType::bf16) return "bf16";
  return is_integer(shape_.x) ? "int8" : "fp8";
}

std::string GpuLinear::effective() const {
  return product_text() + (fusible_ ? ", with GELU where cuBLASLt makes that faster" : "");
}

std::string GpuLinear::product_text() const {
  const std::string tokens = input_.per_token ? " per token" : "";
  if (is_integer(shape_.x)) return "int8" + tokens + " products, exact int32 sums (cuBLASLt)";
  if (shape_.x != OperandType::bf16)
    return fmt::format("{}{} x {} products, {} sums, stored as bf16 (cuBLASLt)",
                       info(*input_.format).name, tokens, info(*weight_format_).name,
                       shape_.fast_accumulation ? "fast" : "fp32");
  if (input_.format && weight_format_)
    return fmt::format("{}{} x {} as bf16 products, exact; fp32 sums, stored as bf16 (cuBLASLt)",
                       info(*input_.format).name, tokens, info(*weight_format_).name);
  return "bf16 products, fp32 sums, stored as bf16 (cuBLASLt)";
}

GpuDense::GpuDense(const Linear& linear, const std::vector<Site>& sites, Function function)
    : in_(linear.in), out_(linear.out), function_(function) {
  const std::string name = name_of(linear, sites);
  PlainWeight plain = plain_weight(linear, sites);
  const auto k = static_cast<size_t>(in_), n = static_cast<size_t>(out_);
  const std::vector<float> values = plain.decoded();
  std::vector<float> transposed(k * n);
  for (size_t i = 0; i < k; ++i)
    for (size_t row = 0; row < n; ++row) transposed[row * k + i] = values[i * n + row];
  if (const auto x = activation_quantization(sites, linear.input_site))
    input_ = rounding_of(*x, name, factors_);
  quantized_ = input_.format && plain.format;
  for (float& s : plain.scales) s *= input_.scale;
  weight_ = upload(transposed, name);
  scale_ = upload(plain.scales, name);
  bias_ = upload(plain_bias(linear, sites), name);
}

Dense GpuDense::arguments() const {
  return {.rounding = input_,
          .weight = weight_.data(),
          .scale = scale_.data(),
          .bias = bias_.data(),
          .function = function_,
          .rows = 0,
          .in = in_,
          .out = out_};
}

std::string GpuDense::effective() const {
  return quantized_ ? "exact products of codes, fp32 sums" : "fp32";
}

}  // namespace fp8q::cuda
