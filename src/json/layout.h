// Texts of JSON laid out anew, without parsing them: a string has no line breaks in it, so that the
// spaces after a line break are indentation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fp8q::json {

// A text of this indentation with another one, both in spaces for each level.
std::string with_indent(std::string_view text, size_t from, size_t to);

// Texts with this indentation as the elements of a list.
std::string list_of_texts(const std::vector<std::string>& texts, size_t indent);

}  // namespace fp8q::json
