// Makes text tables and numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fp8q::cli {

// Cells may hold names from files: they are made printable, and long ones are cut. Columns are as
// wide as their widest cell. `right` says which columns are right-aligned: numbers
// and cells that end in a unit. The first row is the heading.
class Table {
 public:
  explicit Table(std::vector<std::string> heading, std::vector<bool> right = {});
  void add(std::vector<std::string> row);
  std::string str() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

std::string human_bytes(uint64_t bytes);                // "22.7 MB", powers of 1000
std::string human_count(uint64_t count);                // "22.7 M"
std::string signed_number(double value, int decimals);  // "+0.12", "-0.34"
std::string p_text(double p);                           // "0.042", "<0.001"
// Returns the path made printable, relative to the current folder if that is shorter.
std::string short_path(const std::string& path);
// Returns the text as one word of a POSIX shell's command line, quoted if necessary.
std::string shell_word(const std::string& word);

}  // namespace fp8q::cli
