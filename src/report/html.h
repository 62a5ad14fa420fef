// Makes HTML. Text from files and users can only become a part of it by being escaped:
//
//   Html row = html("<td title=\"{}\">{:.1f}</td>", name, value);  // the name is escaped
//   Html cell = name;                                              // so is this
#pragma once

#include <spdlog/fmt/fmt.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fp8q {

class Html {
 public:
  Html() = default;
  // Makes HTML that shows this text as it is, as content or inside a quoted attribute. Characters
  // that are not printable are shown as "\x1b", and text is cut after 4096 bytes.
  template <typename Text>
  requires std::is_convertible_v<const Text&, std::string_view> Html(const Text& text)
      : Html(Escaped(), std::string_view(text)) {}

  // Takes markup that is a part of the program.
  static Html of_program(std::string_view markup);

  Html& operator+=(const Html& other) {
    markup_ += other.markup_;
    return *this;
  }
  friend Html operator+(Html left, const Html& right) { return left += right; }

  const std::string& markup() const { return markup_; }

 private:
  struct Escaped {};
  Html(Escaped, std::string_view text);

  std::string markup_;
};

// Returns what stands for an argument of html(): a number, or markup.
template <typename T>
auto html_argument(const T& value) {
  if constexpr (std::is_arithmetic_v<T>) return value;
  else return Html(value).markup();
}

// Makes HTML by a format, which is a literal: numbers are written as it says, text is escaped, and
// Html stays as it is. Attributes must be in double quotes.
template <typename... Args>
Html html(fmt::format_string<decltype(html_argument(std::declval<Args>()))...> format,
          const Args&... arguments) {
  return Html::of_program(fmt::format(format, html_argument(arguments)...));
}

// Shows a name in a fixed-width font.
Html code(std::string_view name);

// Makes a table in a container that scrolls sideways if the screen is narrow. Columns whose head
// begins with '>' hold numbers and are right-aligned.
Html html_table(const std::vector<std::string>& head, const std::vector<std::vector<Html>>& rows);

// Makes a heading, a sentence that tells readers what to learn from the section, and the content.
Html html_section(std::string_view title, const Html& lead, const Html& content);

// Makes a chart with its title and a caption.
Html html_figure(std::string_view title, const Html& chart, const Html& caption);

}  // namespace fp8q
