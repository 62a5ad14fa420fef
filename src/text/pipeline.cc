#include "text/pipeline.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/utf8.h"
#include "text/unicode_class.h"

namespace fp8q {
namespace {

using Model = std::variant<WordPiece, Bpe>;

Model make_model(const TokenizerSpec& spec) {
  if (const auto* wordpiece = std::get_if<WordPieceOptions>(&spec.model))
    return WordPiece(spec.vocabulary, *wordpiece);
  return Bpe(spec.vocabulary, std::get<BpeOptions>(spec.model));
}

// Returns how many characters of white space a text begins and ends with.
std::pair<uint32_t, uint32_t> spaces_around(std::string_view text) {
  uint32_t leading = 0;
  uint32_t run = 0;
  bool only_spaces = true;
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    const bool space = (char_classes(c.value) & kSpace) != 0;
    only_spaces = only_spaces && space;
    leading += only_spaces ? 1 : 0;
    run = space ? run + 1 : 0;
    at += c.bytes;
  }
  return {leading, run};
}

}  // namespace

Pipeline::Pipeline(const TokenizerSpec& spec)
    : normalizer_(spec.normalizer),
      pre_tokenizer_(spec.pre_tokenizer),
      model_(make_model(spec)),
      trim_(spec.trim_offsets) {
  std::vector<AddedToken> original;
  std::vector<AddedToken> normalized;
  for (AddedToken token : spec.added_tokens) {
    if (!token.normalized) {
      original.push_back(std::move(token));
      continue;
    }
    NormalizedText text;
    normalizer_.append(token.content, text);
    token.content = text.bytes;
    normalized.push_back(std::move(token));
  }
  original_tokens_ = AddedTokenMatcher(std::move(original));
  normalized_tokens_ = AddedTokenMatcher(std::move(normalized));
}

// Returns offsets without the white space of a token. By the reference's rule, a single space at
// the beginning may be the one put before the text, and stays.
CharRange Pipeline::trimmed(CharRange range, uint32_t leading, uint32_t trailing,
                            bool first) const {
  auto [begin, end] = range;
  if (leading == 1 && trim_->add_prefix_space && (first || begin == 0)) leading = 0;
  begin = std::min(begin + leading, end);
  if (end >= trailing) end = std::max(end - trailing, begin);
  return {begin, end};
}

// Appends an added token that was found as `text`.
void Pipeline::add_added(const AddedToken& token, std::string_view text, CharRange range,
                         Tokens& out) const {
  if (trim_) {
    const auto [leading, trailing] = spaces_around(text);
    range = trimmed(range, leading, trailing, out.ids.empty());
  }
  out.ids.push_back(token.id);
  out.offsets.push_back(range);
}

void Pipeline::add_word(const WordPiece& model, const Word& word, Scratch& scratch,
                        Tokens& out) const {
  scratch.pieces.clear();
  model.split(std::string_view(scratch.text.bytes).substr(word.begin, word.end - word.begin),
              scratch.pieces);
  const uint32_t* source = scratch.text.source.data() + word.begin;
  for (const Piece& piece : scratch.pieces) {
    out.ids.push_back(piece.id);
    out.offsets.emplace_back(source[piece.begin], source[piece.end - 1] + 1);
  }
}

void Pipeline::add_word(const Bpe& model, const Word& word, Scratch& scratch, Tokens& out) const {
  std::string_view bytes =
      std::string_view(scratch.text.bytes).substr(word.begin, word.end - word.begin);
  if (word.prefixed) bytes = scratch.prefixed_word.assign(1, ' ').append(bytes);
  scratch.pieces.clear();
  model.split(bytes, scratch.bpe, scratch.pieces);
  // The space before a prefixed word has the place of the word's first character.
  const auto source = [&](size_t byte) {
    return scratch.text.source[word.begin + byte - (word.prefixed && byte > 0 ? 1 : 0)];
  };
  for (const Piece& piece : scratch.pieces) {
    CharRange range(source(piece.begin), source(piece.end - 1) + 1);
    if (trim_ && piece.id != model.unk_id()) {
      const std::string_view token = bytes.substr(piece.begin, piece.end - piece.begin);
      const size_t leading = std::min(token.find_first_not_of(' '), token.size());
      const size_t trailing = token.size() - (token.find_last_not_of(' ') + 1);
      range = trimmed(range, static_cast<uint32_t>(leading), static_cast<uint32_t>(trailing),
                      out.ids.empty());
    }
    out.ids.push_back(piece.id);
    out.offsets.push_back(range);
  }
}

// Appends the tokens of the words in bytes [begin, end) of the normalized text.
void Pipeline::add_words(size_t begin, size_t end, Scratch& scratch, Tokens& out) const {
  pre_tokenizer_.split(scratch.text.bytes, begin, end, scratch.parts, scratch.words);
  std::visit(
      [&](const auto& model) {
        for (const Word& word : scratch.words) add_word(model, word, scratch, out);
      },
      model_);
}

// Appends the tokens of a stretch of the original text between added tokens.
void Pipeline::add_text(std::string_view text, Scratch& scratch, Tokens& out) const {
  scratch.text.clear_text();
  normalizer_.append(text, scratch.text);
  const std::string_view normalized = scratch.text.bytes;
  size_t at = 0;
  while (const auto match = normalized_tokens_.find(normalized, at)) {
    add_words(at, match->begin, scratch, out);
    const auto& source = scratch.text.source;
    add_added(normalized_tokens_.token(match->token),
              normalized.substr(match->begin, match->end - match->begin),
              {source[match->begin], source[match->end - 1] + 1}, out);
    at = match->end;
  }
  add_words(at, normalized.size(), scratch, out);
}

Tokens Pipeline::tokenize(std::string_view text) const {
  if (text.size() > std::numeric_limits<int32_t>::max())
    fail(ErrorCode::limit, "a text of {} bytes is too long to be split into tokens", text.size());
  const size_t likely = text.size() / 4 + 8;  // number of words and of tokens
  Scratch scratch;
  scratch.words.reserve(likely);
  scratch.parts.reserve(likely);
  scratch.pieces.reserve(16);
  Tokens out;
  out.ids.reserve(likely);
  out.offsets.reserve(likely);
  size_t at = 0;
  while (const auto match = original_tokens_.find(text, at)) {
    add_text(text.substr(at, match->begin - at), scratch, out);
    const uint32_t first = scratch.text.code_points;
    const std::string_view found = text.substr(match->begin, match->end - match->begin);
    scratch.text.code_points += static_cast<uint32_t>(count_code_points(found));
    add_added(original_tokens_.token(match->token), found, {first, scratch.text.code_points}, out);
    at = match->end;
  }
  add_text(text.substr(at), scratch, out);
  return out;
}

}  // namespace fp8q
