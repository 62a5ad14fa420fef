#include "json/tree.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"

namespace fp8q::json {

Tree::Tree(std::initializer_list<Member> members) : value_(Members()) {
  for (const Member& member : members) add(member.key, member.value);
}

Tree Tree::object() {
  Tree tree;
  tree.value_ = Members();
  return tree;
}

Tree Tree::list(std::initializer_list<Tree> elements) {
  Tree tree;
  tree.value_ = Elements(elements);
  return tree;
}

Tree& Tree::operator[](std::string_view key) {
  auto& members = std::get<Members>(value_);
  const auto found = std::ranges::find(members, key, &Members::value_type::first);
  if (found != members.end()) return found->second;
  return members.emplace_back(key, Tree()).second;
}

void Tree::add(std::string key, Tree value) {
  std::get<Members>(value_).emplace_back(std::move(key), std::move(value));
}

void Tree::push_back(Tree element) { std::get<Elements>(value_).push_back(std::move(element)); }

namespace {

// Escapes characters that are not printable. The text is JSON, so it is UTF-8, and such characters
// stand only in its strings.
std::string with_escapes(std::string_view json) {
  std::string out;
  for (size_t at = 0; at < json.size();) {
    const DecodedChar c = decode_utf8(json, at);
    if (is_printable(c.value)) out += json.substr(at, c.bytes);
    else if (c.value < 0x10000) out += fmt::format("\\u{:04x}", uint32_t{c.value});
    else
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD7C0 + (uint32_t{c.value} >> 10),
                         0xDC00 + (uint32_t{c.value} & 0x3FF));
    at += c.bytes;
  }
  return out;
}

}  // namespace

// Prints a tree. It leaves numbers and strings that need care to the library.
class Printer {
 public:
  explicit Printer(const Style& style) : style_(style) {}

  void print(const Tree& tree) {
    std::visit([&](const auto& value) { put(value); }, tree.value_);
  }
  std::string take() { return std::move(text_); }

 private:
  void put(std::nullptr_t) { text_ += "null"; }
  void put(bool value) { text_ += value ? "true" : "false"; }
  void put(int64_t value) { text_ += fmt::format("{}", value); }
  void put(uint64_t value) { text_ += fmt::format("{}", value); }
  void put(double value) { text_ += nlohmann::json(value).dump(); }

  void put(const std::string& value) {
    const bool plain = std::ranges::all_of(
        value, [](char c) { return c >= ' ' && c < '\x7F' && c != '"' && c != '\\'; });
    if (plain) {
      text_ += '"';
      text_ += value;
      text_ += '"';
      return;
    }
    using nlohmann::json;
    const bool replace = style_.not_utf8.empty();
    try {
      const std::string text = json(value).dump(
          -1, ' ', false, replace ? json::error_handler_t::replace : json::error_handler_t::strict);
      text_ += style_.escape_unprintable ? with_escapes(text) : text;
    } catch (const json::type_error&) {
      fail(ErrorCode::unsupported, "{}", style_.not_utf8);
    }
  }

  void put(const Tree::Elements& elements) {
    between('[', ']', elements, [&](const Tree& element) { print(element); });
  }

  void put(const Tree::Members& members) {
    using Member = Tree::Members::value_type;
    std::vector<const Member*> order;
    for (const Member& member : members) order.push_back(&member);
    if (style_.sorted)
      std::ranges::sort(
          order, {}, [](const Member* m) -> const auto& { return m->first; });
    between('{', '}', order, [&](const Member* member) {
      put(member->first);
      text_ += style_.indent < 0 ? ":" : ": ";
      print(member->second);
    });
  }

  template <typename Range, typename Print>
  void between(char begin, char end, const Range& range, const Print& print) {
    text_ += begin;
    ++depth_;
    bool first = true;
    for (const auto& element : range) {
      if (!first) text_ += ',';
      first = false;
      break_line();
      print(element);
    }
    --depth_;
    if (!first) break_line();
    text_ += end;
  }

  void break_line() {
    if (style_.indent < 0) return;
    text_ += '\n';
    text_.append(static_cast<size_t>(style_.indent) * depth_, ' ');
  }

  const Style& style_;
  std::string text_;
  size_t depth_ = 0;
};

std::string Tree::text(const Style& style) const {
  Printer printer(style);
  printer.print(*this);
  return printer.take();
}

}  // namespace fp8q::json
