// Goes through the lines of files that are not trusted.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace fp8q {

constexpr size_t kMaxLineBytes = size_t{1} << 20;

// Calls visit(number from 1, line) for every line, without its line end (LF or CRLF) and without a
// byte order mark. Blank lines hold nothing in any kind of file, so they are left out. Throws an
// Error (bad_data) that begins with `name`, which must be printable, if the content is no text in
// UTF-8 or a line has more than kMaxLineBytes.
void for_each_line(const std::string& name, std::string_view content,
                   const std::function<void(size_t, std::string_view)>& visit);

}  // namespace fp8q
