#include "tasks/task_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "json/document.h"
#include "tasks/lines.h"
#include "tasks/quoted_fields.h"
#include "tasks/squad_reader.h"

namespace fp8q {
namespace {

using json::Value;
using Fields = std::vector<std::string_view>;

Fields split_tabs(std::string_view line) {
  Fields fields;
  for (size_t start = 0;;) {
    const size_t tab = line.find('\t', start);
    fields.push_back(line.substr(start, tab - start));
    if (tab == std::string_view::npos) return fields;
    start = tab + 1;
  }
}

// Holds the columns of a table that are needed.
struct Columns {
  size_t count = 0;
  size_t text = 0;
  std::optional<size_t> pair;
  std::optional<size_t> label;  // absent in unlabeled files
  bool has_header = false;
};

// Returns the column with one of the names `wanted`.
std::optional<size_t> index_of(const Fields& names, const std::vector<std::string>& wanted) {
  const auto found = std::find_first_of(names.begin(), names.end(), wanted.begin(), wanted.end());
  if (found == names.end()) return std::nullopt;
  return static_cast<size_t>(found - names.begin());
}

Columns columns_named(const Task& task, const Fields& names) {
  Columns columns{.count = names.size(), .text = *index_of(names, task.text_columns)};
  if (task.has_pair()) columns.pair = index_of(names, task.pair_columns);
  columns.label = index_of(names, task.label_columns);
  return columns;
}

// Returns whether a program has written these names with commas between them, or in quotes.
bool looks_exported(std::string_view names) {
  const bool commas = names.find('\t') == names.npos && names.find(',') != names.npos;
  return commas || names.starts_with('"');
}

Columns find_columns(const Task& task, const std::string& name, size_t number,
                     std::string_view first_line) {
  const Fields fields = split_tabs(first_line);
  const bool named = index_of(fields, task.text_columns) &&
                     (!task.has_pair() || index_of(fields, task.pair_columns));
  if (named) {
    Columns columns = columns_named(task, fields);
    columns.has_header = true;
    return columns;
  }
  if (!task.fixed_columns.empty() && fields.size() == task.fixed_columns.size())
    return columns_named(task, Fields(task.fixed_columns.begin(), task.fixed_columns.end()));
  const std::string wanted =
      task.has_pair() ? fmt::format("\"{}\" and \"{}\"", task.text_columns[0], task.pair_columns[0])
                      : fmt::format("\"{}\"", task.text_columns[0]);
  const std::string fixed =
      task.fixed_columns.empty()
          ? ""
          : fmt::format(" or {} columns without a header", task.fixed_columns.size());
  fail(ErrorCode::bad_data,
       "{}: line {}: expected the tab-separated column names of task {}, among them {}{}, found "
       "\"{}\"{}",
       name, number, task.name, wanted, fixed, printable(first_line),
       looks_exported(first_line) ? "; write the table with tabs and without quotes, or as .jsonl"
                                  : "");
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

double parse_gold(const Task& task, const std::string& name, size_t line, std::string_view field) {
  const auto number = parse_number(field);
  if (task.is_regression()) {
    if (!number)
      fail(ErrorCode::bad_data, "{}: line {}: expected a number as {}, found \"{}\"", name, line,
           task.label_columns[0], printable(field));
    return *number;
  }
  if (const auto c = task.class_of(field)) return static_cast<double>(*c);
  if (number && *number >= 0 && *number < static_cast<double>(task.classes.size()) &&
      *number == std::floor(*number))
    return *number;
  const char* hint = field == "-1" ? " (-1 marks examples whose labels are not published)" : "";
  fail(ErrorCode::bad_data, "{}: line {}: expected a label of task {} ({}), found \"{}\"{}", name,
       line, task.name, task.describe_labels(), printable(field), hint);
}

std::optional<Value> find_member(const Value& object, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (auto member = object.find(name)) return member;
  return std::nullopt;
}

Value require_member(const Value& object, const std::vector<std::string>& names) {
  if (auto member = find_member(object, names)) return *member;
  return object[names.front()];  // throws, as the member is missing
}

// Returns a label as a table would write it.
std::string text_of(const Value& label) {
  if (label.is_string()) return label.string();
  const std::string text = label.dump();
  if (text == "true") return "1";
  return text == "false" ? "0" : text;
}

std::string split_of(const Task& task, const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  for (const char* split : {"train", "dev", "test"})
    if (std::ranges::find(task.files(split), name) != task.files(split).end()) return split;
  return "file";
}

}  // namespace

Dataset read_task_table(const Task& task, const std::string& name, std::string_view content) {
  Dataset data;
  Columns columns;
  size_t dropped = 0;
  for_each_line(name, content, [&](size_t number, std::string_view line) {
    if (columns.count == 0) {
      columns = find_columns(task, name, number, line);
      if (columns.has_header) return;
    }
    const Fields fields = split_tabs(line);
    if (task.has_short_rows && fields.size() < columns.count) {
      ++dropped;
      return;
    }
    if (fields.size() != columns.count)
      fail(ErrorCode::bad_data, "{}: line {}: expected {} tab-separated columns, found {}", name,
           number, columns.count, fields.size());
    Example& example = data.examples.emplace_back();
    example.text = fields[columns.text];
    if (columns.pair) example.pair = fields[*columns.pair];
    if (columns.label) example.gold = parse_gold(task, name, number, fields[*columns.label]);
  });
  if (data.examples.empty())
    fail(ErrorCode::bad_data, "{}: line {}: expected examples of task {}, the file ends here", name,
         columns.count == 0 ? 1 : 2, task.name);
  data.labeled = columns.label.has_value();
  if (dropped > 0)
    data.add_note(
        fmt::format("{}: rows with too few columns: {}; they are left out, as the usual loaders of "
                    "{} do",
                    name, dropped, task.folder));
  return data;
}

Dataset read_task_lines(const Task& task, const std::string& name, std::string_view content) {
  Dataset data;
  data.labeled = true;
  for_each_line(name, content, [&](size_t number, std::string_view line) {
    const std::string place = fmt::format("{}: line {}", name, number);
    const json::Document document = json::Document::parse(line, place);
    const Value object = document.root();
    Example& example = data.examples.emplace_back();
    example.text = require_member(object, task.text_columns).string();
    if (task.has_pair()) example.pair = require_member(object, task.pair_columns).string();
    const auto label = find_member(object, task.label_columns);
    if (data.examples.size() == 1) data.labeled = label.has_value();
    if (data.labeled)
      example.gold =
          parse_gold(task, name, number, text_of(require_member(object, task.label_columns)));
  });
  if (data.examples.empty())
    fail(ErrorCode::bad_data, "{}: line 1: expected examples of task {}, the file ends here", name,
         task.name);
  return data;
}

namespace {

std::string note_of_quotes(const Dataset& data) {
  QuotedFields fields;
  for (const Example& example : data.examples) {
    fields.see(example.text);
    if (example.pair) fields.see(*example.pair);
  }
  return fields.note();
}

Dataset read_content(const Task& task, const std::filesystem::path& path,
                     const std::string& content) {
  if (task.kind == TaskKind::spans) return read_squad(task, path, content);
  const std::string name = printable(path.string());
  if (path.extension() == ".jsonl") return read_task_lines(task, name, content);
  Dataset data = read_task_table(task, name, content);
  // Texts of the official files are known to have no quoting, whatever they look like.
  if (split_of(task, path) == "file") data.add_note(note_of_quotes(data));
  return data;
}

}  // namespace

Dataset read_task_file(const Task& task, const std::filesystem::path& path) {
  const std::string content = read_file(path, kMaxDataBytes);
  Dataset data = read_content(task, path, content);
  data.path = path;
  data.sha256 = sha256(content);
  data.split = split_of(task, path);
  return data;
}

}  // namespace fp8q
