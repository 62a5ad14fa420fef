// Makes small tokenizer files of every kind that fp8q reads, for the targets that read or use them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace fp8q::test {

inline constexpr const char* kVocabTxt =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\nfilm\n!\n'\na\n##a\n##b\ncafe\n##"
    "\n\xE4\xB8\xAD\n";

// Returns a tokenizer.json with a WordPiece model and this normalizer.
nlohmann::json wordpiece_json(const nlohmann::json& normalizer);

// Returns a tokenizer.json with a byte-level BPE model that has a token for every byte.
nlohmann::json byte_level_json();

// The merges of byte_level_json() as a merges.txt.
std::string merges_txt();

}  // namespace fp8q::test
