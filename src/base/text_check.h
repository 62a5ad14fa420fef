// Tells text from what is no text. Data, vocabularies and JSON are text in UTF-8, and nothing else
// is read as if it were: wrong bytes would become wrong tokens without a word.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fp8q {

// Returns why these bytes are no text in UTF-8, with the remedy: "is compressed with gzip; ..." or
// "line 2: byte 7 (0xe9) is not UTF-8; ...". Lines and the bytes of a line count from 1. Zero bytes
// occur in no text. Returns nullopt if the bytes are text.
std::optional<std::string> problem_with_text(std::string_view bytes);

// Returns the text without a byte order mark. Throws an Error (bad_data) "<name>: <problem>" if the
// bytes are no text. `name` must be printable.
std::string_view require_text(const std::string& name, std::string_view bytes);

}  // namespace fp8q
