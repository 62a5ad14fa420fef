// Makes HTML. All text from files or users passes through escape().
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fp8q {

// The result is safe as content and inside quoted attributes.
std::string escape(std::string_view text);

// Makes a table in a container that scrolls sideways if the screen is narrow. `head` is escaped;
// `rows` are HTML. Columns whose head begins with '>' hold numbers and are right-aligned.
std::string html_table(const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows);

// Makes a heading, a sentence (HTML) that tells readers what to learn from the section, and the
// content.
std::string html_section(std::string_view title, std::string_view lead, std::string_view content);

// Makes a chart with its title and a caption (HTML).
std::string html_figure(std::string_view title, std::string_view chart, std::string_view caption);

}  // namespace fp8q
