#include "text/tokenizer.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "text/added_tokens.h"
#include "text/bert_unicode.h"
#include "text/tokenizer_spec.h"
#include "text/truncation.h"
#include "text/utf8.h"

namespace fp8q {
namespace {

// Classes of the ASCII characters, where most of every text is.
const std::array<uint8_t, 128>& ascii_classes() {
  static const std::array<uint8_t, 128> table = [] {
    std::array<uint8_t, 128> classes{};
    for (size_t c = 0; c < classes.size(); ++c) classes[c] = bert_classes(static_cast<char32_t>(c));
    return classes;
  }();
  return table;
}

}  // namespace

struct Tokenizer::Impl {
  TokenizerSpec spec;
  BertNormalizer normalizer;
  WordPiece wordpiece;
  AddedTokenMatcher original_tokens;    // sought in the text as given
  AddedTokenMatcher normalized_tokens;  // sought after normalisation
  std::filesystem::path path;
  std::string hash;
  int32_t vocab_size = 0;

  explicit Impl(TokenizerSpec s);

  // Scratch memory of one tokenize().
  struct Scratch {
    NormalizedText text;
    std::vector<WordPieceMatch> pieces;
  };
  void add_text(std::string_view text, Scratch& scratch, Tokens& out) const;
  void add_words(const NormalizedText& text, size_t begin, size_t end, Scratch& scratch,
                 Tokens& out) const;
  void add_word(const NormalizedText& text, size_t begin, size_t end, Scratch& scratch,
                Tokens& out) const;
};

Tokenizer::Impl::Impl(TokenizerSpec s)
    : spec(std::move(s)), normalizer(spec.normalizer), wordpiece(spec.vocabulary, spec.wordpiece) {
  std::vector<AddedTokenMatcher::Pattern> original;
  std::vector<AddedTokenMatcher::Pattern> normalized;
  for (const AddedToken& token : spec.added_tokens) {
    vocab_size = std::max(vocab_size, token.id + 1);
    if (token.normalized) {
      NormalizedText text;
      normalizer.append(token.content, text);
      normalized.push_back({text.bytes, token.id});
    } else {
      original.push_back({token.content, token.id});
    }
  }
  for (const auto& [token, id] : spec.vocabulary) vocab_size = std::max(vocab_size, id + 1);
  original_tokens = AddedTokenMatcher(std::move(original));
  normalized_tokens = AddedTokenMatcher(std::move(normalized));
  spec.vocabulary = {};  // the WordPiece model has its own copy
}

// A word: bytes [begin, end) of the normalised text.
void Tokenizer::Impl::add_word(const NormalizedText& text, size_t begin, size_t end,
                               Scratch& scratch, Tokens& out) const {
  scratch.pieces.clear();
  wordpiece.split(std::string_view(text.bytes).substr(begin, end - begin), scratch.pieces);
  for (const WordPieceMatch& piece : scratch.pieces) {
    out.ids.push_back(piece.id);
    out.offsets.emplace_back(text.source[begin + piece.begin],
                             text.source[begin + piece.end - 1] + 1);
  }
}

// BERT's pre-tokenizer: white space separates words, punctuation characters are words.
void Tokenizer::Impl::add_words(const NormalizedText& text, size_t begin, size_t end,
                                Scratch& scratch, Tokens& out) const {
  const auto& ascii = ascii_classes();
  size_t word = begin;
  const auto finish_word = [&](size_t at) {
    if (at > word) add_word(text, word, at, scratch, out);
  };
  for (size_t at = begin; at < end;) {
    const auto byte = static_cast<unsigned char>(text.bytes[at]);
    const DecodedChar c =
        byte < 0x80 ? DecodedChar{byte, 1} : decode_utf8(std::string_view(text.bytes), at);
    const uint8_t classes = byte < 0x80 ? ascii[byte] : bert_classes(c.value);
    const size_t next = at + c.bytes;
    if ((classes & (kBertSpace | kBertPunctuation)) != 0) {
      finish_word(at);
      if ((classes & kBertPunctuation) != 0) add_word(text, at, next, scratch, out);
      word = next;
    }
    at = next;
  }
  finish_word(end);
}

// A stretch of the original text between added tokens.
void Tokenizer::Impl::add_text(std::string_view text, Scratch& scratch, Tokens& out) const {
  scratch.text.clear_text();
  normalizer.append(text, scratch.text);
  const std::string_view normalized = scratch.text.bytes;
  size_t at = 0;
  while (const auto match = normalized_tokens.find(normalized, at)) {
    add_words(scratch.text, at, match->begin, scratch, out);
    out.ids.push_back(match->id);
    out.offsets.emplace_back(scratch.text.source[match->begin],
                             scratch.text.source[match->end - 1] + 1);
    at = match->end;
  }
  add_words(scratch.text, at, normalized.size(), scratch, out);
}

Tokens Tokenizer::tokenize(std::string_view text) const {
  if (text.size() > std::numeric_limits<int32_t>::max())
    fail(ErrorCode::limit, "a text of {} bytes is too long to be split into tokens", text.size());
  Impl::Scratch scratch;
  Tokens out;
  out.ids.reserve(text.size() / 4);
  out.offsets.reserve(text.size() / 4);
  size_t at = 0;
  while (const auto match = impl_->original_tokens.find(text, at)) {
    impl_->add_text(text.substr(at, match->begin - at), scratch, out);
    const uint32_t first = scratch.text.code_points;
    scratch.text.code_points += static_cast<uint32_t>(
        count_code_points(text.substr(match->begin, match->end - match->begin)));
    out.ids.push_back(match->id);
    out.offsets.emplace_back(first, scratch.text.code_points);
    at = match->end;
  }
  impl_->add_text(text.substr(at), scratch, out);
  return out;
}

size_t Tokenizer::frame_size(bool pair) const {
  const auto& items = pair ? impl_->spec.pair : impl_->spec.single;
  return static_cast<size_t>(std::count_if(items.begin(), items.end(), [](const TemplateItem& i) {
    return i.kind == TemplateItem::Kind::special;
  }));
}

Encoding Tokenizer::assemble(TokenSlice first, std::optional<TokenSlice> second) const {
  Encoding out;
  for (const TemplateItem& item : second ? impl_->spec.pair : impl_->spec.single) {
    if (item.kind == TemplateItem::Kind::special) {
      out.ids.push_back(item.id);
      out.offsets.emplace_back(0, 0);
    } else {
      const TokenSlice& slice = item.kind == TemplateItem::Kind::first ? first : *second;
      const auto part = [&](const auto& all) {
        return std::span(all).subspan(slice.begin, slice.end - slice.begin);
      };
      const auto ids = part(slice.tokens->ids);
      const auto offsets = part(slice.tokens->offsets);
      out.ids.insert(out.ids.end(), ids.begin(), ids.end());
      out.offsets.insert(out.offsets.end(), offsets.begin(), offsets.end());
    }
    out.type_ids.resize(out.ids.size(), item.type_id);
  }
  return out;
}

Encoding Tokenizer::encode(std::string_view text, std::optional<std::string_view> pair,
                           size_t max_length) const {
  const size_t frame = frame_size(pair.has_value());
  if (max_length < frame)
    fail(ErrorCode::usage,
         "a maximum length of {} tokens does not hold the {} special tokens around a text",
         max_length, frame);
  const Tokens first = tokenize(text);
  const Tokens second = pair ? tokenize(*pair) : Tokens{};
  const auto [keep_first, keep_second] =
      truncate_longest_first(first.ids.size(), second.ids.size(), max_length - frame);
  return assemble({&first, 0, keep_first},
                  pair ? std::optional(TokenSlice{&second, 0, keep_second}) : std::nullopt);
}

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  const std::string bytes = read_file(path, kMaxTokenizerBytes);
  TokenizerSpec spec;
  std::string hashed = bytes;
  if (path.extension() == ".json") {
    spec = parse_tokenizer_json(path, bytes);
  } else {
    const fs::path config_path = path.parent_path() / "tokenizer_config.json";
    const std::string config =
        fs::exists(config_path) ? read_file(config_path, kMaxTokenizerBytes) : std::string();
    const fs::path added = path.parent_path() / "added_tokens.json";
    if (fs::exists(added))
      fail(ErrorCode::unsupported,
           "{}: added tokens beside a vocab.txt are not supported; convert the tokenizer to a "
           "tokenizer.json and give it with --tokenizer PATH",
           printable(added.string()));
    spec = parse_vocab_txt({path, bytes, config_path, config});
    hashed += config;
  }
  auto impl = std::make_shared<Impl>(std::move(spec));
  impl->path = path;
  impl->hash = sha256(hashed);
  return Tokenizer(std::move(impl));
}

int32_t Tokenizer::vocab_size() const { return impl_->vocab_size; }
int32_t Tokenizer::pad_id() const { return impl_->spec.pad_id; }
const std::filesystem::path& Tokenizer::path() const { return impl_->path; }
const std::string& Tokenizer::hash() const { return impl_->hash; }

std::string Tokenizer::describe() const {
  const NormalizerOptions& n = impl_->spec.normalizer;
  return fmt::format("WordPiece, {} tokens, {}, accents {} ({})", vocab_size(),
                     n.lowercase ? "lower case" : "case kept",
                     n.strip_accents ? "stripped" : "kept", printable(path().filename().string()));
}

}  // namespace fp8q
