#include "tools/fp8q/table.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/error.h"

namespace fp8q::cli {
namespace {

// Returns the terminal columns of UTF-8 text. One column per code point is enough for what fp8q
// prints.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> heading, std::vector<bool> right) : right_(std::move(right)) {
  right_.resize(heading.size());
  add(std::move(heading));
}

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) {
    const bool last = &cell == &row.back();  // may be a list of names, and widens no other line
    cell = printable(cell, last ? kMaxPrintedMessage : kMaxPrintedName);
  }
  rows_.push_back(std::move(row));
}

std::string Table::str() const {
  std::vector<size_t> widths(right_.size(), 0);
  for (const auto& row : rows_)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - width(row[c]), ' ');
      line += c == 0 ? "  " : "   ";
      line += right_[c] ? padding + row[c] : row[c] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

namespace {

// Writes one decimal and the largest unit that keeps the number at or above 1.
std::string scaled(uint64_t count, std::initializer_list<const char*> units) {
  auto unit = units.begin();
  if (count < 1000) return fmt::format("{}{}", count, *unit);
  double value = static_cast<double>(count);
  while (value >= 1000 && unit + 1 != units.end()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f}{}", value, *unit);
}

}  // namespace

std::string human_bytes(uint64_t bytes) {
  return scaled(bytes, {" B", " kB", " MB", " GB", " TB"});
}

std::string human_count(uint64_t count) { return scaled(count, {"", " k", " M", " G"}); }

std::string signed_number(double value, int decimals) {
  const std::string text = fmt::format("{:+.{}f}", value, decimals);
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  return zero ? text.substr(1) : text;
}

std::string p_text(double p) { return p < 0.001 ? "<0.001" : fmt::format("{:.3f}", p); }

std::string short_path(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path given(path);
  // Links keep their names, and ".." behind one does not lead back to where it is.
  if (std::ranges::find(given, "..") != given.end()) return printable(path, kMaxPrintedMessage);
  std::error_code error;
  const fs::path here = fs::current_path(error);
  const std::string relative = (here / given).lexically_normal().lexically_proximate(here).string();
  return printable(error || relative.size() >= path.size() ? path : relative, kMaxPrintedMessage);
}

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "_-./=:,@%+";
  const bool plain = !word.empty() && std::ranges::all_of(word, [&](unsigned char c) {
    return std::isalnum(c) || kPlain.find(static_cast<char>(c)) != kPlain.npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace fp8q::cli
