#include "tests/fuzz/tokenizer_files.h"

#include "base/utf8.h"

namespace fp8q::test {
namespace {

using nlohmann::json;

constexpr const char* kMerges[][2] = {
    {"t", "h"}, {"th", "e"}, {"Ġ", "the"}, {"i", "n"}, {"in", "g"}};

// Returns the characters that stand for bytes in vocabularies (text/byte_level.h).
std::string character_of_byte(int byte, char32_t& next) {
  const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
  std::string text;
  append_utf8(text, printable ? static_cast<char32_t>(byte) : next++);
  return text;
}

json added_token(const char* content) {
  return {{"id", 4}, {"content", content}, {"lstrip", true}};
}

}  // namespace

json wordpiece_json(const json& normalizer) {
  json vocabulary = json::object();
  const std::string lines = kVocabTxt;
  for (size_t at = 0, end; (end = lines.find('\n', at)) != std::string::npos; at = end + 1) {
    const size_t id = vocabulary.size();
    vocabulary[lines.substr(at, end - at)] = id;
  }
  return {{"added_tokens", json::array({added_token("[MASK]")})},
          {"normalizer", normalizer},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor",
           {{"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 2}}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", "[UNK]"},
            {"continuing_subword_prefix", "##"},
            {"max_input_chars_per_word", 20},
            {"vocab", vocabulary}}}};
}

json byte_level_json() {
  json vocabulary = json::object();
  const auto add = [&](const std::string& token) {
    const size_t id = vocabulary.size();
    vocabulary[token] = id;
  };
  for (const char* token : {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}) add(token);
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) add(character_of_byte(byte, next));
  json merges = json::array();
  for (const auto& [left, right] : kMerges) {
    add(std::string(left) + right);
    merges.push_back({left, right});
  }
  return {
      {"added_tokens", json::array({added_token("<mask>")})},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", true}}},
      {"post_processor",
       {{"type", "RobertaProcessing"},
        {"sep", {"</s>", 2}},
        {"cls", {"<s>", 0}},
        {"trim_offsets", true},
        {"add_prefix_space", true}}},
      {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}}}};
}

std::string merges_txt() {
  std::string lines = "#version: 0.2\n";
  for (const auto& [left, right] : kMerges) lines += std::string(left) + ' ' + right + '\n';
  return lines;
}

}  // namespace fp8q::test
