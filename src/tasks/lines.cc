#include "tasks/lines.h"

#include <algorithm>

#include "base/error.h"
#include "base/text_check.h"

namespace fp8q {

void for_each_line(const std::string& name, std::string_view content,
                   const std::function<void(size_t, std::string_view)>& visit) {
  content = require_text(name, content);
  for (size_t number = 1; !content.empty(); ++number) {
    const size_t end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > kMaxLineBytes)
      fail(ErrorCode::bad_data, "{}: line {}: has {} bytes, at most {} are accepted", name, number,
           line.size(), kMaxLineBytes);
    if (line.find_first_not_of(" \t") != std::string_view::npos) visit(number, line);
  }
}

}  // namespace fp8q
