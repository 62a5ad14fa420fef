#include "tasks/quoted_fields.h"

#include "base/error.h"

namespace fp8q {
namespace {

struct Quotes {
  bool doubled = false;  // there are some, each of them twice
  bool single = false;   // one stands alone
};

Quotes quotes_within(std::string_view text) {
  Quotes quotes;
  for (size_t at = text.find('"'); at < text.size(); at = text.find('"', at + 1)) {
    const bool twice = at + 1 < text.size() && text[at + 1] == '"';
    (twice ? quotes.doubled : quotes.single) = true;
    if (twice) ++at;
  }
  return quotes;
}

}  // namespace

void QuotedFields::see(std::string_view field) {
  ++fields_;
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return;
  const Quotes within = quotes_within(field.substr(1, field.size() - 2));
  if (within.single) return;  // quotations in the text itself
  ++quoted_;
  if (within.doubled) ++doubled_;
}

std::string QuotedFields::note() const {
  if (doubled_ == 0 && (quoted_ == 0 || 2 * quoted_ < fields_)) return "";
  return fmt::format(
      "{} of {} texts stand in quotes, which are read as a part of them; if a program put them "
      "there, write the table without quoting, or as .jsonl",
      quoted_, fields_);
}

}  // namespace fp8q
