// Makes inputs on which pieces of the graph are tried.
#include <algorithm>
#include <cmath>
#include <functional>

#include "encoder/parts.h"

namespace fp8q::match {
namespace {

Tensor input_tensor(const View& view, const std::string& input, const Shape& shape,
                    const std::function<int64_t(size_t)>& value_at) {
  Tensor tensor(DType::i64, shape);
  const auto values = tensor.mutable_data<int64_t>();
  for (size_t i = 0; i < values.size(); ++i) values[i] = value_at(i);
  for (const auto& info : view.model().graph.inputs)
    if (info.name == input) return tensor.to(info.dtype);
  return tensor;
}

}  // namespace

int64_t TrialIds::at(size_t token) const {
  if (special && token % 3 == 1) return *special;
  return token % 2 == 0 ? usual : usual + 2;
}

Tensors model_inputs(const View& view, size_t probe, const InputRoles& roles, const TrialIds& ids) {
  Tensors tensors;
  for (const auto& [name, shape] : view.probes()[probe].input_shapes) {
    const auto length = static_cast<size_t>(shape.empty() ? 1 : std::max<int64_t>(shape.back(), 1));
    tensors.emplace(name, input_tensor(view, name, shape, [&](size_t i) -> int64_t {
                      if (name == roles.ids) return ids.at(i % length);
                      if (name == roles.token_type) return 0;
                      if (name == roles.position) return static_cast<int64_t>(i % length);
                      return 1;
                    }));
  }
  return tensors;
}

void note_mask(const std::string& input, InputRoles& roles) {
  const bool other_role =
      input == roles.ids || input == roles.token_type || input == roles.position;
  if (other_role || (!roles.mask.empty() && roles.mask != input))
    differ("a mask depends on input \"{}\", which is not the attention mask", printable(input));
  roles.mask = input;
}

std::vector<TrialIds> ids_to_try(const View& view, size_t probe, const Cone& piece,
                                 const InputRoles& roles) {
  constexpr int64_t kUsual = 5, kOther = 11;  // in the middle of a vocabulary, not padding
  constexpr int64_t kFew = 16;                // constants with more elements are tables
  std::vector<TrialIds> all = {{kUsual, {}}};
  if (!piece.open.contains(roles.ids)) return all;
  all.push_back({kOther, {}});
  std::set<int64_t> special;
  for (const auto& name : piece.known) {
    const Tensor* constant = view.contents(name, probe);
    if (!constant || constant->size() > kFew) continue;
    const Tensor wide = constant->to(DType::f64);
    for (const double value : wide.data<double>())
      if (value == std::floor(value) && value >= 0 && value < INT32_MAX)
        for (const int64_t near : {-1, 0, 1})
          if (const int64_t id = static_cast<int64_t>(value) + near; id >= 0) special.insert(id);
  }
  for (const int64_t id : special)
    // The usual ids must differ from the special one.
    all.push_back({std::abs(id - kUsual) > 2 ? kUsual : kOther, id});
  return all;
}

}  // namespace fp8q::match
