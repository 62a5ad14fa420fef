// Notices tables whose fields a program has put into quotes. The tables that fp8q reads have no
// quoting, as GLUE's official files, so the quotes become a part of the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fp8q {

class QuotedFields {
 public:
  // Looks at the text fields of one row.
  void see(std::string_view field);

  // Returns a note if fields look quoted: at least half of them are inside quotes, or one is that
  // has doubled quotes within it, which only a program writes. Returns an empty text otherwise.
  std::string note() const;

 private:
  size_t fields_ = 0;
  size_t quoted_ = 0;
  size_t doubled_ = 0;
};

}  // namespace fp8q
