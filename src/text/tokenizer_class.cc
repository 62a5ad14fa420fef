#include "text/tokenizer_class.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "json/document.h"

namespace fp8q {
namespace {

// These types of models have tokenizers of their own in `transformers`. Relatives of BERT and
// RoBERTa are left out, since their folders hold vocabularies of either.
constexpr std::pair<std::string_view, std::string_view> kClassOfModel[] = {
    {"albert", "Albert"},
    {"big_bird", "BigBird"},
    {"camembert", "Camembert"},
    {"canine", "Canine"},
    {"ctrl", "CTRL"},
    {"deberta", "Deberta"},
    {"deberta-v2", "DebertaV2"},
    {"flaubert", "Flaubert"},
    {"fsmt", "FSMT"},
    {"funnel", "Funnel"},
    {"gpt2", "GPT2"},
    {"mpnet", "MPNet"},
    {"openai-gpt", "OpenAIGPT"},
    {"rembert", "RemBert"},
    {"roformer", "RoFormer"},
    {"t5", "T5"},
    {"xlm", "XLM"},
    {"xlm-roberta", "XLMRoberta"},
    {"xlm-roberta-xl", "XLMRoberta"},
    {"xlnet", "XLNet"},
};

constexpr std::string_view kForAny[] = {"PreTrainedTokenizer", "Tokenizers", "TokenizersBackend"};

// Returns a text that the file holds under `key`. Members of other types are of no use here, and do
// no harm.
std::optional<std::string> text_in(const TokenizerFile& file, const char* key) {
  if (file.bytes.empty()) return std::nullopt;
  const json::Document document = json::Document::parse(file.bytes, file.path.string());
  const json::Value root = document.root();
  return root.is_object() ? root.find_string(key) : std::nullopt;
}

std::string short_name(std::string name) {
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  if (std::ranges::find(kForAny, name) != std::end(kForAny)) return "";
  constexpr std::string_view kSuffix = "Tokenizer";
  if (name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
  return name;
}

std::optional<TokenizerClass> named_in(const TokenizerFile& file) {
  const auto name = text_in(file, "tokenizer_class");
  if (!name) return std::nullopt;
  return TokenizerClass{short_name(*name),
                        fmt::format("{}: tokenizer_class \"{}\"", printable(file.path.string()),
                                    printable(short_name(*name)))};
}

std::optional<TokenizerClass> class_of_model(const TokenizerFile& file) {
  const auto type = text_in(file, "model_type");
  if (!type) return std::nullopt;
  const auto known =
      std::ranges::find(kClassOfModel, *type, [](const auto& row) { return row.first; });
  if (known == std::end(kClassOfModel)) return std::nullopt;
  return TokenizerClass{std::string(known->second),
                        fmt::format("{}: model_type \"{}\"", printable(file.path.string()), *type)};
}

}  // namespace

std::optional<TokenizerClass> find_tokenizer_class(const TokenizerFiles& files) {
  for (const TokenizerFile* file : {&files.config, &files.model})
    if (auto named = named_in(*file)) return named;
  return class_of_model(files.model);
}

void check_tokenizer_class(const TokenizerFiles& files, std::span<const std::string_view> classes,
                           std::string_view file) {
  const auto named = find_tokenizer_class(files);
  if (!named || named->name.empty() || std::ranges::find(classes, named->name) != classes.end())
    return;
  fail(ErrorCode::unsupported,
       "{} with a {} is not supported; fp8q handles {}Tokenizer and its relatives. Convert the "
       "tokenizer to a tokenizer.json and give it with --tokenizer PATH",
       named->told, file, classes.front());
}

}  // namespace fp8q
