#include "text/bpe.h"

#include <algorithm>
#include <deque>

#include "text/byte_level.h"

namespace fp8q {
namespace {

constexpr int32_t kNone = Trie::kNone;
constexpr uint32_t kEnd = UINT32_MAX;

}  // namespace

Bpe::Bpe(const std::vector<std::pair<std::string, int32_t>>& vocabulary, const BpeOptions& options)
    : unk_id_(options.unk_id), fuse_unk_(options.fuse_unk), merges_(options.merges) {
  byte_ids_.fill(kNone);
  std::deque<std::string> words;  // storage that the entries refer to
  std::vector<Trie::Entry> entries;
  for (const auto& [token, id] : vocabulary)
    if (auto bytes = bytes_of_token(token); bytes && !bytes->empty()) {
      if (bytes->size() == 1) byte_ids_[static_cast<unsigned char>((*bytes)[0])] = id;
      entries.emplace_back(words.emplace_back(std::move(*bytes)), id);
    }
  // A token that merges do not produce from its own bytes is found only as a part of other words,
  // if at all.
  Scratch scratch;
  std::vector<Piece> pieces;
  const auto unreachable = [&](const Trie::Entry& entry) {
    pieces.clear();
    merge(entry.first, scratch, pieces);
    return pieces.size() != 1 || pieces[0].id != entry.second;
  };
  if (!options.whole_words_first) std::erase_if(entries, unreachable);
  whole_ = Trie(std::move(entries));
}

void Bpe::split(std::string_view word, Scratch& scratch, std::vector<Piece>& out) const {
  if (const int32_t id = whole_.find(word); id != kNone) {
    out.push_back({id, 0, word.size()});
  } else {
    merge(word, scratch, out);
  }
}

// Makes one symbol per byte. Unknown bytes become unknown tokens or nothing.
void Bpe::fill(std::string_view word, Scratch& scratch) const {
  auto& symbols = scratch.symbols;
  symbols.clear();
  bool after_unknown = false;
  for (uint32_t i = 0; i < word.size(); ++i) {
    const int32_t id = byte_ids_[static_cast<unsigned char>(word[i])];
    const bool unknown = id == kNone;
    if (unknown && after_unknown && fuse_unk_) {
      symbols.back().end = i + 1;
    } else if (!unknown || unk_id_) {
      const auto at = static_cast<uint32_t>(symbols.size());
      symbols.push_back({unknown ? *unk_id_ : id, i, i + 1, at - 1, at + 1});
    }
    after_unknown = unknown && unk_id_;
  }
  if (!symbols.empty()) symbols.back().next = kEnd;
}

namespace {

// Orders the heap so that its first element has the lowest rank, and is the leftmost among equal
// ranks.
bool later(const Bpe::Scratch::Candidate& a, const Bpe::Scratch::Candidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
}

}  // namespace

// Puts the merge of symbol `left` and the symbol after it into the heap, if there is one.
void Bpe::consider(Scratch& scratch, uint32_t left) const {
  const Scratch::Symbol& a = scratch.symbols[left];
  if (a.next == kEnd) return;
  const Scratch::Symbol& b = scratch.symbols[a.next];
  const MergeTable::Entry* merge = merges_.find(a.id, b.id);
  if (!merge) return;
  scratch.candidates.push_back({merge->rank, left, a.id, b.id, merge->result});
  std::ranges::push_heap(scratch.candidates, later);
}

void Bpe::merge(std::string_view word, Scratch& scratch, std::vector<Piece>& out) const {
  fill(word, scratch);
  auto& symbols = scratch.symbols;
  auto& candidates = scratch.candidates;
  candidates.clear();
  for (uint32_t i = 0; i < symbols.size(); ++i) consider(scratch, i);
  while (!candidates.empty()) {
    const Scratch::Candidate best = candidates.front();
    std::ranges::pop_heap(candidates, later);
    candidates.pop_back();
    Scratch::Symbol& left = symbols[best.position];
    if (left.id != best.left || left.next == kEnd || symbols[left.next].id != best.right) continue;
    Scratch::Symbol& right = symbols[left.next];
    left.id = best.result;
    left.end = right.end;
    left.next = right.next;
    right.id = kNone;
    if (left.next != kEnd) symbols[left.next].previous = best.position;
    consider(scratch, best.position);
    if (best.position != 0) consider(scratch, left.previous);
  }
  if (symbols.empty()) return;
  for (uint32_t i = 0; i != kEnd; i = symbols[i].next)
    out.push_back({symbols[i].id, symbols[i].begin, symbols[i].end});
}

}  // namespace fp8q
