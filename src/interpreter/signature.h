// A signature says what a node of an operator must have before anything looks at its operands.
//
// require_supported() checks every node of a model once. From then on, all required inputs, the
// first output of an operator with one output, and all required attributes are there.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "graph/model.h"

namespace fp8q {

inline constexpr size_t kAnyNumber = SIZE_MAX;

// Names the alternatives of Attribute, in their order.
enum class AttributeType { integer, number, text, tensor, integers, numbers, texts };

struct RequiredAttribute {
  std::string_view name;  // empty: none
  AttributeType type = AttributeType::integer;
};

struct Signature {
  size_t least_inputs = 0;  // the first ones, which must not be omitted
  size_t most_inputs = 0;
  size_t most_outputs = 1;  // at least one must have a name
  std::array<RequiredAttribute, 2> attributes;
};

// Returns what a node lacks or has too much of ("has 1 input, the operator takes 2"), or an empty
// text if it has all that the signature asks for.
std::string violation(const Signature& signature, const Node& node);

}  // namespace fp8q
