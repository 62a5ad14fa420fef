// Changes JSON texts by their structure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace fp8q::test {

// Returns a text with some values changed, added, removed or exchanged, or nullopt if `text` is not
// JSON or is nested very deeply. The checksum of a sealed file becomes "repair".
std::optional<std::string> mutated_json(const std::string& text, unsigned seed);

// Returns the text of a value, sorted and without spaces.
std::string dumped(const nlohmann::json& value);

}  // namespace fp8q::test
