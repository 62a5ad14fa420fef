// Text of HTML. Whatever comes from files or users passes escape() on its way in.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fp8q {

// Safe as content and inside quoted attributes.
std::string escape(std::string_view text);

// A table in a container that scrolls sideways where the screen is narrow. `head` is escaped;
// `rows` are HTML. Columns whose head begins with '>' hold numbers and stand to the right.
std::string html_table(const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows);

// A heading, what the reader should take from it in a sentence (HTML), and the content.
std::string html_section(std::string_view title, std::string_view lead, std::string_view content);

// A chart with its title and a caption (HTML).
std::string html_figure(std::string_view title, std::string_view chart, std::string_view caption);

}  // namespace fp8q
