// Reads the component "model" of a tokenizer.json: the vocabulary and how words are split.
#include <utility>

#include "base/error.h"
#include "text/spec_readers.h"

namespace fp8q {
namespace {

using json::Value;

// This is the largest accepted max_input_chars_per_word. No word of a language comes near it.
constexpr int64_t kMaxWordChars = 1000;

WordPieceOptions read_wordpiece(const Value& model, const TokenIds& ids) {
  WordPieceOptions options;
  options.unk_token = model.string_or("unk_token", "[UNK]");
  options.continuing_prefix = model.string_or("continuing_subword_prefix", "##");
  if (const auto chars = model.find("max_input_chars_per_word"))
    options.max_word_chars = static_cast<size_t>(chars->integer(1, kMaxWordChars));
  special_id(model, ids, options.unk_token);
  return options;
}

// Reads "a b", or ["a", "b"] in files of later versions.
std::pair<std::string, std::string> read_pair(const Value& merge) {
  if (!merge.is_string()) {
    const auto two = merge.items();
    if (two.size() == 2) return {two[0].string(), two[1].string()};
  } else {
    const std::string both = merge.string();
    const size_t space = both.find(' ');
    if (space != std::string::npos && both.find(' ', space + 1) == std::string::npos)
      return {both.substr(0, space), both.substr(space + 1)};
  }
  merge.reject_for("two tokens");
}

bool is_zero(const Value& value) { return value.is_number() && value.number() == 0; }

BpeOptions read_bpe(const Value& model, const TokenIds& ids) {
  if (const auto dropout = model.find("dropout"); dropout && !is_zero(*dropout))
    refuse_option(model, "dropout", "null: with it the same text gives other tokens each time");
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!model.string_or(affix, "").empty()) refuse_option(model, affix, "byte-level BPE, without");
  if (model.boolean_or("byte_fallback", false))
    refuse_option(model, "byte_fallback", "byte-level BPE, where every byte is a token");
  BpeOptions options;
  options.unk_id =
      byte_level_unk([&] { return model.where(); }, ids, model.string_or("unk_token", ""));
  options.fuse_unk = model.boolean_or("fuse_unk", false);
  options.whole_words_first = model.boolean_or("ignore_merges", false);
  for (const Value& merge : model["merges"].items()) {
    const auto [left, right] = read_pair(merge);
    options.merges.push_back(resolve_merge([&] { return merge.where(); }, ids, left, right));
  }
  return options;
}

// Files of early versions do not say the type. Members that only one model has then decide.
std::string type_of(const Value& model) {
  if (const auto type = model.find("type")) return type->string();
  return model.find("merges")                     ? "BPE"
         : model.find("max_input_chars_per_word") ? "WordPiece"
                                                  : "none";
}

}  // namespace

void read_model(const Value& root, TokenizerSpec& spec) {
  const Value model = root["model"];
  const std::string type = type_of(model);
  if (type != "WordPiece" && type != "BPE")
    refuse_type(model, type, "WordPiece and byte-level BPE");
  spec.vocabulary = read_vocabulary(model["vocab"]);
  const TokenIds ids(spec.vocabulary.begin(), spec.vocabulary.end());
  if (type == "BPE") spec.model = read_bpe(model, ids);
  else spec.model = read_wordpiece(model, ids);
}

}  // namespace fp8q
