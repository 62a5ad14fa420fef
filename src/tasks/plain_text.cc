#include "tasks/plain_text.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/error.h"
#include "tasks/lines.h"
#include "tasks/task.h"

namespace fp8q {
namespace {

[[noreturn]] void fail_as_table(const std::string& name, size_t line, std::string_view found) {
  fail(ErrorCode::bad_data,
       "{}: line {}: {}, so this is a table and no plain text; name the task with --task ({}, or "
       "text with --text-column) and call the file .tsv or .jsonl",
       name, line, found, task_names());
}

std::vector<std::string_view> fields_of(std::string_view line, char separator) {
  std::vector<std::string_view> parts;
  for (size_t start = 0;;) {
    const size_t end = line.find(separator, start);
    parts.push_back(line.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::string_view without_quotes(std::string_view field) {
  const bool quoted = field.size() >= 2 && field.front() == '"' && field.back() == '"';
  return quoted ? field.substr(1, field.size() - 2) : field;
}

// Returns whether programs and people call columns so: a name of a GLUE column, or a usual one.
bool is_column_name(std::string_view field) {
  constexpr std::string_view kUsual[] = {"id",     "idx",   "index",  "label",  "labels", "text",
                                         "target", "class", "score",  "title",  "body",   "review",
                                         "rating", "topic", "answer", "context"};
  std::string lower(without_quotes(field));
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto names = [&](const std::vector<std::string>& list) {
    return std::ranges::find(list, lower) != list.end();
  };
  return std::ranges::find(kUsual, lower) != std::end(kUsual) ||
         std::ranges::any_of(all_tasks(), [&](const Task& task) {
           return names(task.text_columns) || names(task.pair_columns) || names(task.label_columns);
         });
}

// Returns whether this is a line with the names of columns. Each must look like one, and two of
// them must be usual ones: a sentence may contain the word "text".
bool names_columns(std::string_view line, char separator) {
  const auto fields = fields_of(line, separator);
  const auto plain = [](std::string_view field) {
    field = without_quotes(field);
    return !field.empty() && std::ranges::all_of(field, [](unsigned char c) {
      return std::isalnum(c) || c == '_' || c == '-' || c == '#';
    });
  };
  return fields.size() >= 2 && std::ranges::all_of(fields, plain) &&
         std::ranges::count_if(fields, is_column_name) >= 2;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isdigit(c) || c == '.' || c == '-';
  });
}

void refuse_header(const std::string& name, size_t number, std::string_view line) {
  if (line.starts_with("{\"") && line.ends_with("}"))
    fail_as_table(name, number, "begins with a JSON object");
  for (const char separator : {'\t', ',', ';'})
    if (names_columns(line, separator))
      fail_as_table(name, number, fmt::format("\"{}\" names columns", printable(line)));
}

}  // namespace

Dataset read_plain_text(const std::string& name, std::string_view content) {
  Dataset data;
  bool only_numbers = true;  // as second texts
  size_t pairs = 0;
  for_each_line(name, content, [&](size_t number, std::string_view line) {
    if (data.examples.empty()) refuse_header(name, number, line);
    const size_t tab = line.find('\t');
    Example& example = data.examples.emplace_back();
    example.text = line.substr(0, tab);
    if (tab == std::string_view::npos) return;
    if (line.find('\t', tab + 1) != std::string_view::npos)
      fail_as_table(name, number, "expected a text, or two separated by a tab, found more tabs");
    example.pair = line.substr(tab + 1);
    only_numbers &= is_number(*example.pair);
    ++pairs;
  });
  if (data.examples.empty())
    fail(ErrorCode::bad_data, "{}: line 1: expected text, one sentence a line, found none", name);
  if (pairs == data.examples.size() && only_numbers)
    fail_as_table(name, 1, "what stands behind the tab is a number in every line");
  data.split = "file";
  return data;
}

}  // namespace fp8q
