// Changes serialized models by their structure.
#pragma once

#include <optional>
#include <string>

namespace fp8q::test {

// Returns the bytes with some fields changed, added, repeated, exchanged or removed, or nullopt if
// they are not a ModelProto. Names of operators, attributes and values are borrowed from others, so
// that some results are valid.
std::optional<std::string> mutated_model(const std::string& bytes, unsigned seed);

}  // namespace fp8q::test
