// Changes the layout of JSON texts without parsing them. Strings contain no line breaks, so spaces
// after a line break are always indentation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fp8q::json {

// Changes the indentation of a text from `from` to `to` spaces for each level.
std::string with_indent(std::string_view text, size_t from, size_t to);

// Returns a list whose elements are these texts, indented by `indent` spaces.
std::string list_of_texts(const std::vector<std::string>& texts, size_t indent);

}  // namespace fp8q::json
