// Splits any text with tokenizers of every kind. The first byte chooses the tokenizer, the second
// the largest number of tokens, and the third the length of the first text of a pair (0: there is
// one text). The rest is the text.
#include "text/tokenizer.h"

#include <vector>

#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/tokenizer_files.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

using nlohmann::json;

std::vector<Tokenizer> every_tokenizer() {
  std::vector<Tokenizer> all;
  const TemporaryFolder folder;
  const auto load = [&](const std::string& name, const std::string& content) {
    all.push_back(Tokenizer::load(folder.write(name, content)));
  };
  load("vocab.txt", kVocabTxt);
  folder.write("cased/tokenizer_config.json", R"({"do_lower_case": false})");
  load("cased/vocab.txt", kVocabTxt);
  load("tokenizer.json", wordpiece_json({{"type", "BertNormalizer"}}).dump());
  for (const char* rule : {"NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"})
    load("tokenizer.json", wordpiece_json({{"type", rule}}).dump());
  for (const char* rule : {"Whitespace", "WhitespaceSplit", "Punctuation", "Digits"}) {
    json spec = wordpiece_json(nullptr);
    spec["pre_tokenizer"] = {{"type", rule}, {"individual_digits", true}};
    load("tokenizer.json", spec.dump());
  }
  json bytes = byte_level_json();
  load("tokenizer.json", bytes.dump());
  folder.write("bpe/merges.txt", merges_txt());
  load("bpe/vocab.json", bytes["model"]["vocab"].dump());
  bytes["pre_tokenizer"]["use_regex"] = bytes["pre_tokenizer"]["add_prefix_space"] = false;
  bytes["normalizer"] = {{"type", "NFKC"}};
  load("tokenizer.json", bytes.dump());
  return all;
}

// A compatibility decomposition has at most 18 characters, each of at most 4 bytes. One space may
// be added before a text and before each added token.
size_t most_tokens(size_t characters) { return characters * 18 * 4 + characters + 1; }

void check(const Tokenizer& tokenizer, const Encoding& e, std::string_view first,
           std::string_view second) {
  require(e.ids.size() == e.type_ids.size() && e.ids.size() == e.offsets.size(), "lists differ");
  const size_t characters = std::max(count_code_points(first), count_code_points(second));
  for (size_t i = 0; i < e.ids.size(); ++i) {
    require(e.ids[i] >= 0 && e.ids[i] < tokenizer.vocab_size(), "an id outside the vocabulary");
    require(e.offsets[i].first <= e.offsets[i].second, "offsets the wrong way round");
    require(e.offsets[i].second <= characters, "an offset outside the text");
  }
}

}  // namespace
}  // namespace fp8q::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fp8q;
  using namespace fp8q::test;
  static const std::vector<Tokenizer> tokenizers = every_tokenizer();
  ByteSource bytes(data, size);
  const Tokenizer& tokenizer = bytes.one_of(tokenizers);
  const size_t max_length = bytes.byte();
  const size_t split = bytes.byte();
  const std::string_view text = bytes.rest();
  const std::string_view first = split ? text.substr(0, split) : text;
  const std::string_view second = text.substr(first.size());
  const Tokens tokens = tokenizer.tokenize(first);
  require(tokens.ids.size() == tokens.offsets.size(), "lists of different lengths");
  require(tokens.ids.size() <= most_tokens(count_code_points(first)),
          "more tokens than bytes give");
  for (const auto& [begin, end] : tokens.offsets)
    require(begin <= end && end <= count_code_points(first), "an offset outside the text");
  const std::optional<std::string_view> pair = split ? std::optional(second) : std::nullopt;
  succeeds([&] {
    const Encoding encoding = tokenizer.encode(first, pair, max_length);
    require(encoding.ids.size() <= max_length, "too many tokens");
    check(tokenizer, encoding, first, second);
    const Encoding again = tokenizer.encode(first, pair, max_length);
    require(again.ids == encoding.ids, "the ids depend on what came before");
  });
  return 0;
}
