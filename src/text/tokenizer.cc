#include "text/tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "text/pipeline.h"
#include "text/tokenizer_spec.h"
#include "text/truncation.h"

namespace fp8q {

struct Tokenizer::Impl {
  Pipeline pipeline;
  std::vector<TemplateItem> single;
  std::vector<TemplateItem> pair;
  int32_t vocab_size = 0;
  int32_t pad_id;
  std::string kind;  // for describe()
  std::filesystem::path path;
  std::string hash;

  explicit Impl(const TokenizerSpec& spec);
};

namespace {

std::string kind_of(const TokenizerSpec& spec) {
  return std::holds_alternative<BpeOptions>(spec.model) ? "byte-level BPE" : "WordPiece";
}

// Returns a text such as "lower case, accents stripped".
std::string describe_normalizer(const TokenizerSpec& spec) {
  bool lower = false;
  bool strip = false;
  for (const NormalizerStep& step : spec.normalizer) {
    const auto* bert = std::get_if<NormalizerOptions>(&step);
    const auto* rule = std::get_if<TextRule>(&step);
    lower = lower || (bert ? bert->lowercase : *rule == TextRule::lowercase);
    strip = strip || (bert ? bert->strip_accents : *rule == TextRule::strip_accents);
  }
  return fmt::format("{}, accents {}", lower ? "lower case" : "case kept",
                     strip ? "stripped" : "kept");
}

}  // namespace

Tokenizer::Impl::Impl(const TokenizerSpec& spec)
    : pipeline(spec), single(spec.single), pair(spec.pair), pad_id(spec.pad_id) {
  for (const AddedToken& token : spec.added_tokens) vocab_size = std::max(vocab_size, token.id + 1);
  for (const auto& [token, id] : spec.vocabulary) vocab_size = std::max(vocab_size, id + 1);
  kind = fmt::format("{}, {} tokens, {}", kind_of(spec), vocab_size, describe_normalizer(spec));
}

Tokens Tokenizer::tokenize(std::string_view text) const { return impl_->pipeline.tokenize(text); }

size_t Tokenizer::frame_size(bool pair) const {
  const auto& items = pair ? impl_->pair : impl_->single;
  return static_cast<size_t>(std::count_if(items.begin(), items.end(), [](const TemplateItem& i) {
    return i.kind == TemplateItem::Kind::special;
  }));
}

Encoding Tokenizer::assemble(TokenSlice first, std::optional<TokenSlice> second) const {
  Encoding out;
  for (const TemplateItem& item : second ? impl_->pair : impl_->single) {
    if (item.kind == TemplateItem::Kind::special) {
      out.ids.push_back(item.id);
      out.offsets.emplace_back(0, 0);
    } else {
      const TokenSlice& slice = item.kind == TemplateItem::Kind::first ? first : *second;
      if (item.kind == TemplateItem::Kind::second) out.second_begin = out.ids.size();
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

namespace {

// Reads a file that may be absent, and appends its bytes to `hashed`.
std::string read_beside(const fs::path& path, std::string& hashed) {
  if (!fs::exists(path)) return {};
  std::string bytes = read_file(path, kMaxTokenizerBytes);
  hashed += bytes;
  return bytes;
}

void refuse_added_tokens(const fs::path& vocabulary) {
  const fs::path added = vocabulary.parent_path() / "added_tokens.json";
  if (fs::exists(added))
    fail(ErrorCode::unsupported,
         "{}: added tokens beside a {} are not supported; convert the tokenizer to a "
         "tokenizer.json and give it with --tokenizer PATH",
         printable(added.string()), printable(vocabulary.filename().string()));
}

// Reads `path` and the files that belong to it. Appends all bytes read to `hashed`.
TokenizerSpec read_spec(const fs::path& path, std::string& hashed) {
  const std::string bytes = read_file(path, kMaxTokenizerBytes);
  hashed = bytes;
  const fs::path config_path = path.parent_path() / "tokenizer_config.json";
  if (path.extension() != ".json") {
    refuse_added_tokens(path);
    return parse_vocab_txt({path, bytes, config_path, read_beside(config_path, hashed)});
  }
  if (path.filename() != "vocab.json") return parse_tokenizer_json(path, bytes);
  refuse_added_tokens(path);
  const fs::path merges_path = path.parent_path() / "merges.txt";
  const std::string merges = read_beside(merges_path, hashed);
  if (merges.empty())
    fail(ErrorCode::bad_data,
         "{}: is absent or empty; vocab.json needs the merges.txt of the same model beside it",
         printable(merges_path.string()));
  return parse_vocab_json(
      {path, bytes, merges_path, merges, config_path, read_beside(config_path, hashed)});
}

}  // namespace

Tokenizer Tokenizer::load(const fs::path& path) {
  std::string hashed;
  auto impl = std::make_shared<Impl>(read_spec(path, hashed));
  impl->path = path;
  impl->hash = sha256(hashed);
  return Tokenizer(std::move(impl));
}

int32_t Tokenizer::vocab_size() const { return impl_->vocab_size; }
int32_t Tokenizer::pad_id() const { return impl_->pad_id; }
const std::filesystem::path& Tokenizer::path() const { return impl_->path; }
const std::string& Tokenizer::hash() const { return impl_->hash; }

std::string Tokenizer::describe() const {
  return fmt::format("{} ({})", impl_->kind, printable(path().filename().string()));
}

}  // namespace fp8q
