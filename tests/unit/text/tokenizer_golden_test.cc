// Compares ids, type ids and offsets with the reference implementation, on awkward texts from
// tests/golden/tokenizer.json and on all examples of the reference files.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/file.h"
#include "tests/support/npz.h"
#include "tests/support/paths.h"
#include "tests/unit/text/golden_case.h"
#include "text/tokenizer.h"

namespace fp8q {
namespace {

using nlohmann::json;

json load_json(const fs::path& path) { return json::parse(read_file(path, 1 << 26)); }

TEST(TokenizerGolden, AwkwardTextsFromTokenizerJson) {
  const fs::path base_path = test::source_dir() / "models/demo-sst2/tokenizer.json";
  FP8Q_SKIP_WITHOUT(base_path);
  const test::TemporaryFolder folder;
  const json golden = load_json(test::source_dir() / "tests/golden/tokenizer.json");
  for (const json& group : golden["groups"]) {
    SCOPED_TRACE(group["name"].get<std::string>());
    json spec = load_json(base_path);
    spec["normalizer"] = group["normalizer"];
    spec["pre_tokenizer"] = group["pre_tokenizer"];
    for (const json& token : group["added"]) spec["added_tokens"].push_back(token);
    const Tokenizer tokenizer = Tokenizer::load(folder.write("tokenizer.json", spec.dump()));
    for (const json& c : group["cases"]) test::expect_case(tokenizer, c);
  }
}

TEST(TokenizerGolden, AwkwardTextsFromVocabTxt) {
  const fs::path vocab = test::source_dir() / "models/demo-sst2/vocab.txt";
  FP8Q_SKIP_WITHOUT(vocab);
  const test::TemporaryFolder folder;
  const fs::path copy = folder.write("vocab.txt", read_file(vocab, 1 << 26));
  const json golden = load_json(test::source_dir() / "tests/golden/tokenizer.json");
  for (const json& group : golden["groups"]) {
    const json& n = group["normalizer"];
    // tokenizer_config.json cannot say these.
    if (n.is_null() || n["type"] != "BertNormalizer" || !n["clean_text"].get<bool>() ||
        !group["added"].empty())
      continue;
    SCOPED_TRACE(group["name"].get<std::string>());
    const json config = {{"do_lower_case", n["lowercase"]},
                         {"strip_accents", n["strip_accents"]},
                         {"tokenize_chinese_chars", n["handle_chinese_chars"]}};
    folder.write("tokenizer_config.json", config.dump());
    const Tokenizer tokenizer = Tokenizer::load(copy);
    for (const json& c : group["cases"]) test::expect_case(tokenizer, c);
  }
}

// The texts of a reference are in a table of the shared data folder.
struct GlueReference {
  const char* model;
  const char* table;
  size_t text;
  int pair;  // column, or -1
};

// Prints the name of the test in lists.
void PrintTo(const GlueReference& r, std::ostream* out) { *out << r.model; }

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  for (size_t start = 0;;) {
    const size_t tab = line.find('\t', start);
    fields.push_back(line.substr(start, tab - start));
    if (tab == std::string::npos) return fields;
    start = tab + 1;
  }
}

class GlueReferences : public testing::TestWithParam<std::tuple<GlueReference, const char*>> {};

TEST_P(GlueReferences, AllExamplesAgree) {
  const auto& [reference, tokenizer_file] = GetParam();
  const fs::path npz =
      test::shared_path(std::string("models/reference/") + reference.model + ".npz");
  const fs::path table = test::shared_path(std::string("data/glue/") + reference.table);
  FP8Q_SKIP_WITHOUT(npz);
  FP8Q_SKIP_WITHOUT(table);
  auto arrays = test::read_npz(npz);
  const auto ids = arrays.at("input_ids").as<int32_t>();
  const auto types = arrays.at("token_type_ids").as<int32_t>();
  const auto offsets = arrays.at("offsets").as<int64_t>();
  const Tokenizer tokenizer = Tokenizer::load(test::shared_path("models/") / tokenizer_file);
  std::ifstream in(table);
  std::string line;
  std::getline(in, line);
  size_t examples = 0;
  for (; std::getline(in, line); ++examples) {
    const auto fields = fields_of(line);
    std::optional<std::string_view> pair;
    if (reference.pair >= 0) pair = fields[static_cast<size_t>(reference.pair)];
    const Encoding e = tokenizer.encode(fields[reference.text], pair, 128);
    const auto part = [&](const std::vector<int32_t>& all) {
      return std::vector<int32_t>(all.begin() + offsets[examples],
                                  all.begin() + offsets[examples + 1]);
    };
    ASSERT_EQ(e.ids, part(ids)) << "example " << examples << ": " << line;
    ASSERT_EQ(e.type_ids, part(types)) << "example " << examples << ": " << line;
  }
  EXPECT_EQ(examples + 1, offsets.size());
}

INSTANTIATE_TEST_SUITE_P(
    All, GlueReferences,
    testing::Combine(testing::Values(GlueReference{"minilm-l6-sst2", "SST-2/dev.tsv", 0, -1},
                                     GlueReference{"minilm-l6-mrpc", "MRPC/test.tsv", 3, 4},
                                     GlueReference{"minilm-l6-stsb", "STS-B/dev.tsv", 7, 8}),
                     testing::Values("tokenizer.json", "vocab.txt")));

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  return text.substr(begin, text.find_last_not_of(" \t\n") + 1 - begin);
}

// Makes windows over a context as extractive question answering does: 256 tokens, of which
// neighbors share 96.
TEST(TokenizerGolden, SquadWindowsAndCharacterOffsetsAgree) {
  const fs::path npz = test::shared_path("models/reference/minilm-l6-squad.npz");
  const fs::path data = test::shared_path("data/squad/dev.json");
  FP8Q_SKIP_WITHOUT(npz);
  FP8Q_SKIP_WITHOUT(data);
  auto arrays = test::read_npz(npz);
  const auto ids = arrays.at("input_ids").as<int32_t>();
  const auto chars = arrays.at("char_offsets").as<int64_t>();
  const Tokenizer tokenizer = Tokenizer::load(test::shared_path("models/tokenizer.json"));
  size_t at = 0;
  size_t windows = 0;
  const auto expect_window = [&](const Encoding& e) {
    ASSERT_LE(at + e.ids.size(), ids.size());
    for (size_t i = 0; i < e.ids.size(); ++i, ++at) {
      ASSERT_EQ(e.ids[i], ids[at]) << "window " << windows << " token " << i;
      ASSERT_EQ(e.offsets[i].first, chars[2 * at]) << "window " << windows << " token " << i;
      ASSERT_EQ(e.offsets[i].second, chars[2 * at + 1]) << "window " << windows << " token " << i;
    }
    ++windows;
  };
  const json squad = load_json(data);
  for (const json& article : squad["data"])
    for (const json& paragraph : article["paragraphs"])
      for (const json& qa : paragraph["qas"]) {
        const Tokens context = tokenizer.tokenize(paragraph["context"].get<std::string>());
        // White space around a question would shift its offsets.
        const Tokens question = tokenizer.tokenize(trimmed(qa["question"].get<std::string>()));
        const size_t room = 256 - tokenizer.frame_size(true) - question.ids.size();
        for (size_t begin = 0;; begin += room - 96) {
          const size_t end = std::min(begin + room, context.ids.size());
          expect_window(tokenizer.assemble({&question, 0, question.ids.size()},
                                           TokenSlice{&context, begin, end}));
          if (HasFatalFailure() || end == context.ids.size()) break;
        }
      }
  EXPECT_EQ(at, ids.size());
  EXPECT_EQ(windows, 393u);
}

}  // namespace
}  // namespace fp8q
