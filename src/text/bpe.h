// Byte-level byte-pair encoding splits a word of bytes by a list of merges, the earliest first.
//
// The method is from Sennrich et al., "Neural Machine Translation of Rare Words with Subword
// Units", 2016. It works on bytes, as in GPT-2 and RoBERTa. Words that are one token are found
// without merging.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/merge_table.h"
#include "text/piece.h"
#include "text/trie.h"

namespace fp8q {

struct BpeOptions {
  std::vector<Merge> merges;       // merges of ids in the vocabulary
  std::optional<int32_t> unk_id;   // for bytes without a token; nullopt drops them
  bool fuse_unk = false;           // use one unknown token for neighboring unknown bytes
  bool whole_words_first = false;  // a word in the vocabulary is never split ("ignore_merges")
};

class Bpe {
 public:
  // `vocabulary` has distinct tokens, written as in byte_level.h, and distinct ids.
  Bpe(const std::vector<std::pair<std::string, int32_t>>& vocabulary, const BpeOptions& options);

  // Holds memory that calls of split() reuse. Each thread needs its own.
  struct Scratch {
    struct Symbol {
      int32_t id;  // negative: merged into the symbol before
      uint32_t begin;
      uint32_t end;
      uint32_t previous;
      uint32_t next;
    };
    struct Candidate {
      uint32_t rank;
      uint32_t position;  // position of the left symbol
      int32_t left;
      int32_t right;
      int32_t result;
    };
    std::vector<Symbol> symbols;
    std::vector<Candidate> candidates;  // a heap
  };

  // Appends the tokens of `word`, which is not empty.
  void split(std::string_view word, Scratch& scratch, std::vector<Piece>& out) const;

  const std::optional<int32_t>& unk_id() const { return unk_id_; }

 private:
  void merge(std::string_view word, Scratch& scratch, std::vector<Piece>& out) const;
  void fill(std::string_view word, Scratch& scratch) const;
  void consider(Scratch& scratch, uint32_t left) const;

  std::array<int32_t, 256> byte_ids_;  // kNone: not in the vocabulary
  std::optional<int32_t> unk_id_;
  bool fuse_unk_;
  MergeTable merges_;
  Trie whole_;  // words that are one token
};

}  // namespace fp8q
