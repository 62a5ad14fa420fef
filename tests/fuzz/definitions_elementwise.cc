// Operators whose output elements depend on the elements at the same place.
#include <algorithm>
#include <map>

#include "tests/fuzz/definition_call.h"

namespace fp8q::test {
namespace {

Shape common_shape(const Call& call) {
  Shape common;
  for (const Operand& operand : call.operands) {
    const Shape& shape = operand.shape;
    if (shape.size() > common.size())
      common.insert(common.begin(), shape.size() - common.size(), 1);
    for (size_t d = 1; d <= shape.size(); ++d)
      if (common[common.size() - d] == 1) common[common.size() - d] = shape[shape.size() - d];
  }
  return common;
}

template <double (*f)(double)>
std::optional<Defined> function(const Call& call) {
  // A function of a double is exact enough for every type but double itself.
  return each(call[0].shape, [&](const Index& i) { return Element{f(call[0].at(i)), 0}; });
}

double absolute(double x) { return std::fabs(x); }
double negative(double x) { return -x; }
double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
double relu(double x) { return x < 0 ? 0 : x; }
double reciprocal(double x) { return 1 / x; }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }
double inverted(double x) { return x == 0; }
double is_nan(double x) { return std::isnan(x); }
double exponential(double x) { return std::exp(x); }
double logarithm(double x) { return std::log(x); }
double square_root(double x) { return std::sqrt(x); }
double sine(double x) { return std::sin(x); }
double cosine(double x) { return std::cos(x); }
double hyperbolic(double x) { return std::tanh(x); }
double error_function(double x) { return std::erf(x); }
double up(double x) { return std::ceil(x); }
double down(double x) { return std::floor(x); }
double nearest_even(double x) { return std::nearbyint(x); }

std::optional<Defined> gelu(const Call& call) {
  const bool tanh = call.attribute<std::string>("approximate", "none") == "tanh";
  return each(call[0].shape, [&](const Index& i) {
    const double x = call[0].at(i);
    const double inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
    const double share = tanh ? 1 + std::tanh(inner) : std::erfc(-x / M_SQRT2);
    // The sum of 1 and a value near -1 is as exact as 1 is.
    return Element{0.5 * x * share, std::isfinite(x) ? std::fabs(x) * 0x1p-50 : kOpen.slack};
  });
}

// f gives the element from the operands' elements, and whether all of them are integers.
template <Element (*f)(const std::vector<double>&, bool integer)>
std::optional<Defined> combined(const Call& call) {
  return each(common_shape(call), [&](const Index& index) {
    std::vector<double> values;
    for (const Operand& operand : call.operands) values.push_back(operand.broadcast_at(index));
    return f(values, call.operands.back().integer());
  });
}

using List = std::vector<double>;

Element sum(const List& x, bool) {
  Sum sum;
  for (const double v : x) sum.add(v);
  return sum.element();
}
Element subtracted(const List& x, bool) { return {x[0] - x[1]}; }
Element product(const List& x, bool) { return {x[0] * x[1]}; }
Element quotient(const List& x, bool integer) {
  if (!integer) return {x[0] / x[1]};
  return x[1] == 0 ? kOpen : Element{std::trunc(x[0] / x[1])};
}
Element power(const List& x, bool integer) {
  return integer && x[1] < 0 ? kOpen : Element{std::pow(x[0], x[1])};
}
template <bool (*before)(double, double)>
Element extreme(const List& x, bool) {
  double found = x[0];
  for (const double v : x)
    if (std::isnan(v) || before(v, found)) found = v;
  for (const double v : x)
    if (std::isnan(v)) found = v;
  return {found};
}
bool less(double a, double b) { return a < b; }
bool greater(double a, double b) { return a > b; }
Element both(const List& x, bool) { return {x[0] != 0 && x[1] != 0 ? 1.0 : 0}; }
Element either(const List& x, bool) { return {x[0] != 0 || x[1] != 0 ? 1.0 : 0}; }
Element one_only(const List& x, bool) { return {(x[0] != 0) != (x[1] != 0) ? 1.0 : 0}; }
Element equal(const List& x, bool) { return {x[0] == x[1] ? 1.0 : 0}; }
Element is_greater(const List& x, bool) { return {x[0] > x[1] ? 1.0 : 0}; }
Element is_less(const List& x, bool) { return {x[0] < x[1] ? 1.0 : 0}; }
Element at_least(const List& x, bool) { return {x[0] >= x[1] ? 1.0 : 0}; }
Element at_most(const List& x, bool) { return {x[0] <= x[1] ? 1.0 : 0}; }
Element chosen(const List& x, bool) { return {x[0] != 0 ? x[1] : x[2]}; }

// The remainder has the sign of the divisor, or with `fmod` that of the dividend.
std::optional<Defined> modulo(const Call& call) {
  const bool fmod = call.flag("fmod");
  return each(common_shape(call), [&](const Index& index) {
    const double a = call[0].broadcast_at(index), b = call[1].broadcast_at(index);
    if (b == 0 && call[1].integer()) return kOpen;
    const double rest = std::fmod(a, b);
    return Element{!fmod && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest};
  });
}

std::optional<Defined> clip(const Call& call) {
  if (call.opset < 11) return std::nullopt;  // limits were attributes
  return each(call[0].shape, [&](const Index& index) {
    double x = call[0].at(index);
    if (call.has(1) && x < call[1].values.at(0)) x = call[1].values.at(0);
    if (call.has(2) && x > call[2].values.at(0)) x = call[2].values.at(0);
    return Element{x};
  });
}

}  // namespace

Definition elementwise_definition(std::string_view op) {
  static const std::map<std::string_view, Definition> all = {
      {"Abs", function<absolute>},
      {"Neg", function<negative>},
      {"Sign", function<sign>},
      {"Relu", function<relu>},
      {"Reciprocal", function<reciprocal>},
      {"Sigmoid", function<sigmoid>},
      {"Softplus", function<softplus>},
      {"Not", function<inverted>},
      {"IsNaN", function<is_nan>},
      {"Exp", function<exponential>},
      {"Log", function<logarithm>},
      {"Sqrt", function<square_root>},
      {"Sin", function<sine>},
      {"Cos", function<cosine>},
      {"Tanh", function<hyperbolic>},
      {"Erf", function<error_function>},
      {"Ceil", function<up>},
      {"Floor", function<down>},
      {"Round", function<nearest_even>},
      {"Gelu", gelu},
      {"Add", combined<sum>},
      {"Sum", combined<sum>},
      {"Sub", combined<subtracted>},
      {"Mul", combined<product>},
      {"Div", combined<quotient>},
      {"Pow", combined<power>},
      {"Max", combined<extreme<greater>>},
      {"Min", combined<extreme<less>>},
      {"And", combined<both>},
      {"Or", combined<either>},
      {"Xor", combined<one_only>},
      {"Equal", combined<equal>},
      {"Greater", combined<is_greater>},
      {"Less", combined<is_less>},
      {"GreaterOrEqual", combined<at_least>},
      {"LessOrEqual", combined<at_most>},
      {"Where", combined<chosen>},
      {"Mod", modulo},
      {"Clip", clip},
  };
  const auto found = all.find(op);
  return found == all.end() ? nullptr : found->second;
}

}  // namespace fp8q::test
