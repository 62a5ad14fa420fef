// Holds a set of byte strings, each with a number, that is searched by prefix: the vocabulary of a
// tokenizer.
//
// It is a double array (Aoe, "An efficient digital search algorithm by using a double-array
// structure", 1989). A search takes one load and one comparison per byte, whatever the size of the
// vocabulary.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace fp8q {

class Trie {
 public:
  static constexpr int32_t kNone = -1;

  struct Match {
    int32_t value = kNone;
    size_t length = 0;  // in bytes
  };
  using Entry = std::pair<std::string_view, int32_t>;

  Trie() : Trie(std::vector<Entry>()) {}
  // The strings must be distinct and not empty, with values from 0.
  explicit Trie(std::vector<Entry> entries);

  // Returns the longest entry that `text` begins with. Its value is kNone if there is none.
  Match longest_prefix(std::string_view text) const {
    Match best;
    uint32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      node = child(node, text[i]);
      if (node == 0) break;
      if (cells_[node].value != kNone) best = {cells_[node].value, i + 1};
    }
    return best;
  }

  // Returns the value of `text`, or kNone.
  int32_t find(std::string_view text) const {
    uint32_t node = 0;
    for (const char c : text)
      if ((node = child(node, c)) == 0) return kNone;
    return cells_[node].value;
  }

 private:
  // The root is cell 0. A node's child for byte c is cell base + c, if that cell's parent is the
  // node. A base is never below 1, so no child is the root.
  struct Cell {
    uint32_t base = 1;
    uint32_t parent = kFree;
    int32_t value = kNone;
  };
  static constexpr uint32_t kFree = UINT32_MAX;

  uint32_t child(uint32_t node, char c) const {
    const uint32_t cell = cells_[node].base + static_cast<unsigned char>(c);
    return cells_[cell].parent == node ? cell : 0;
  }

  uint32_t place(const std::vector<unsigned char>& labels);

  std::vector<Cell> cells_;   // always 512 cells more than the largest base
  uint32_t search_from_ = 1;  // cells before it are not worth a search
};

}  // namespace fp8q
