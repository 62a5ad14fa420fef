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
  std::optional<size_t> max_length;
  std::vector<std::string> notes;
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
    : pipeline(spec),
      single(spec.single),
      pair(spec.pair),
      pad_id(spec.pad_id),
      max_length(spec.max_length),
      notes(spec.notes) {
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

TokenizerFile read_beside(const fs::path& path, const char* name) {
  TokenizerFile file{.path = path.parent_path() / name, .bytes = {}};
  if (is_there(file.path)) file.bytes = read_file(file.path, kMaxTokenizerBytes);
  return file;
}

void refuse_added_tokens(const fs::path& vocabulary) {
  const fs::path added = vocabulary.parent_path() / "added_tokens.json";
  if (is_there(added))
    fail(ErrorCode::unsupported,
         "{}: added tokens beside a {} are not supported; convert the tokenizer to a "
         "tokenizer.json and give it with --tokenizer PATH",
         printable(added.string()), printable(vocabulary.filename().string()));
}

TokenizerFiles read_files(const fs::path& path) {
  TokenizerFiles files{.vocabulary = {path, read_file(path, kMaxTokenizerBytes)},
                       .merges = {},
                       .config = read_beside(path, "tokenizer_config.json"),
                       .model = read_beside(path, "config.json")};
  if (path.filename() == "vocab.json") files.merges = read_beside(path, "merges.txt");
  return files;
}

TokenizerSpec parse(const TokenizerFiles& files) {
  const fs::path& path = files.vocabulary.path;
  const bool vocab_json = path.filename() == "vocab.json";
  if (path.extension() == ".json" && !vocab_json) return parse_tokenizer_json(files);
  refuse_added_tokens(path);
  if (!vocab_json) return parse_vocab_txt(files);
  if (files.merges.bytes.empty())
    fail(ErrorCode::bad_data,
         "{}: is absent or empty; vocab.json needs the merges.txt of the same model beside it",
         printable(files.merges.path.string()));
  return parse_vocab_json(files);
}

// Returns the hash of the files that make the tokenizer what it is.
std::string hash_of(const TokenizerFiles& files, const TokenizerSpec& spec) {
  const bool complete = files.vocabulary.path.extension() == ".json" && files.merges.bytes.empty();
  std::string bytes = files.vocabulary.bytes + files.merges.bytes;
  if (!complete || spec.config_changes) bytes += files.config.bytes;
  return sha256(bytes);
}

}  // namespace

Tokenizer Tokenizer::load(const fs::path& path) {
  const TokenizerFiles files = read_files(path);
  const TokenizerSpec spec = parse(files);
  auto impl = std::make_shared<Impl>(spec);
  impl->path = path;
  impl->hash = hash_of(files, spec);
  return Tokenizer(std::move(impl));
}

int32_t Tokenizer::vocab_size() const { return impl_->vocab_size; }
int32_t Tokenizer::pad_id() const { return impl_->pad_id; }
std::optional<size_t> Tokenizer::max_length() const { return impl_->max_length; }
const std::vector<std::string>& Tokenizer::notes() const { return impl_->notes; }
const std::filesystem::path& Tokenizer::path() const { return impl_->path; }
const std::string& Tokenizer::hash() const { return impl_->hash; }

std::string Tokenizer::describe() const {
  return fmt::format("{} ({})", impl_->kind, printable(path().filename().string()));
}

}  // namespace fp8q
