// Reads text without labels: one text a line, or two separated by a tab.
#pragma once

#include <string>
#include <string_view>

#include "tasks/dataset.h"

namespace fp8q {

// Throws an Error (bad_data) if the content is no text, has none, or is a table or JSON lines,
// whose names of columns, labels and quotes would be taken for text. `name` must be printable.
Dataset read_plain_text(const std::string& name, std::string_view content);

}  // namespace fp8q
