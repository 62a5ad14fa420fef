// Tests how models are opened from files, why they are refused, and what runs them.
#include "session/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"
#include "calibrate/statistics.h"
#include "onnx/save.h"
#include "session/execution.h"
#include "session/make_engine.h"
#include "session/model_statistics.h"
#include "session/tokenizer.h"
#include "tests/support/errors.h"
#include "tests/unit/session/tiny_bundle.h"

namespace fp8q::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(Bundle, IsOpenedFromAFileOrItsFolder) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of(ErrorCode::file, [&] { open_model(folder.path()); }),
              HasSubstr("has no model.onnx"));
  const fs::path path = folder.path() / "model.onnx";
  save_model(tiny_encoder({.opset = 18}), path);
  for (const fs::path& location : {path, folder.path()}) {
    const Bundle bundle = open_model(location);
    EXPECT_EQ(bundle.file.path, path);
    EXPECT_EQ(bundle.file.sha256, sha256_file(path));
    EXPECT_EQ(bundle.file.bytes, fs::file_size(path));
    EXPECT_EQ(bundle.folder, folder.path());
    ASSERT_TRUE(bundle.encoder);
    EXPECT_EQ(bundle.sites.size(), bundle.encoder->sites.size());
    EXPECT_NO_THROW(require_float_model(bundle));
  }
}

TEST(Bundle, IsFoundInAFolderOfRepositories) {
  const TemporaryFolder folder;
  folder.write("pytorch_model.bin", "weights");
  EXPECT_THAT(error_of(ErrorCode::file, [&] { open_model(folder.path()); }),
              AllOf(HasSubstr("has pytorch_model.bin and no ONNX file"),
                    HasSubstr("optimum-cli export onnx --model " + folder.path().string())));
  fs::create_directory(folder.path() / "onnx");
  const fs::path path = folder.path() / "onnx/model.onnx";
  save_model(tiny_encoder({.opset = 18}), path);
  EXPECT_EQ(open_model(folder.path()).file.path, path);
  save_model(tiny_encoder({.opset = 17}), folder.path() / "model.onnx");
  EXPECT_EQ(open_model(folder.path()).file.path, folder.path() / "model.onnx");
}

TEST(Bundle, UpgradingKeepsTheSites) {
  TinyBundle bundle;
  std::vector<std::string> before, after;
  for (const Site& site : bundle.sites) before.push_back(site.value);
  upgrade_for_conversion(bundle);
  EXPECT_EQ(bundle.model.opset(), 21);
  for (const Site& site : bundle.sites) after.push_back(site.value);
  EXPECT_EQ(after, before);
}

TEST(Bundle, QuantizedModelsAreRefusedBySayingBywhat) {
  const TinyBundle bundle({.opset = 21, .quantization = QuantStyle::standard});
  EXPECT_THAT(error_of(ErrorCode::unsupported, [&] { require_float_model(bundle); }),
              HasSubstr("is already quantized"));
}

TEST(Bundle, LengthIsThatOfThePositionTableOrTheShape) {
  std::vector<std::string> notes;
  const TinyBundle bundle({.positions = 50});
  EXPECT_EQ(usable_length(bundle, 40, notes), 40u);
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_EQ(usable_length(bundle, 128, notes), 50u);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("takes at most 50 tokens (its position table)")));
}

TEST(Bundle, TheTokenizerMustFitTheEmbeddings) {
  const TinyBundle bundle;
  std::vector<std::string> notes;
  EXPECT_EQ(tokenizer_for(bundle, {}, notes).vocab_size(), 30);
  const fs::path large = bundle.files.write("large.txt", vocabulary(57));
  const SideFiles given{large, {}};
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { tokenizer_for(bundle, given, notes); }),
              HasSubstr("the tokenizer has 61 ids, but the word embedding of"));
}

TEST(Bundle, TheTokenizerMayAllowLessThanTheModel) {
  const TinyBundle bundle({.positions = 50});
  bundle.files.write("tokenizer_config.json", R"({"model_max_length": 30})");
  std::vector<std::string> notes;
  const Tokenizer tokenizer = tokenizer_for(bundle, {}, notes);
  EXPECT_EQ(sequence_length(bundle, tokenizer, {}, 20, notes), 20u);
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_EQ(sequence_length(bundle, tokenizer, {}, 40, notes), 30u);
  EXPECT_EQ(sequence_length(bundle, tokenizer, 40, 20, notes), 40u);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("examples are cut there and not at 40"),
                                 HasSubstr("with --max-length, examples are cut at 40")));
}

TEST(MakeEngine, ModelsThatAreNoEncodersRunThroughTheInterpreter) {
  const TinyBundle encoder, other({.mask = MaskStyle::causal});
  ASSERT_FALSE(other.encoder);
  std::vector<std::string> notes;
  EXPECT_THAT(make_engine(encoder, {.device = "cpu"}, notes)->description(),
              HasSubstr("(Highway)"));
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_THAT(make_engine(encoder, {.device = "cpu", .reference = true}, notes)->description(),
              HasSubstr("reference interpreter"));
  EXPECT_THAT(notes, IsEmpty()) << "it was asked for";
  EXPECT_THAT(make_engine(other, {.device = "cpu"}, notes)->description(),
              HasSubstr("reference interpreter"));
  EXPECT_THAT(notes, ElementsAre(HasSubstr("is not recognized as an encoder")));
  EXPECT_THAT(
      error_of(ErrorCode::unsupported,
               [&] { make_engine(other, {.device = "cpu", .compute = Compute::bf16}, notes); }),
      HasSubstr("--compute bf16"));
  EXPECT_THAT(error_of(ErrorCode::unsupported,
                       [&] { make_engine(other, {.device = "cpu", .gelu = Gelu::tanh}, notes); }),
              HasSubstr("--gelu tanh"));
  EXPECT_THAT(error_of(ErrorCode::usage, [&] { make_engine(encoder, {.device = "tpu"}, notes); }),
              HasSubstr("--device tpu"));
}

TEST(Execution, IsToldOfTheEngine) {
  const TinyBundle bundle;
  std::vector<std::string> notes;
  for (const bool reference : {false, true}) {
    const auto engine = make_engine(bundle, {.device = "cpu", .reference = reference}, notes);
    const ExecutionFacts facts = with_costs(execution_on(*engine), Stopwatch());
    EXPECT_EQ(facts.device, "cpu");
    EXPECT_EQ(facts.description, engine->description());
    EXPECT_THAT(facts.description, StartsWith(facts.device + ", "));
    EXPECT_GT(facts.threads, 0);
    EXPECT_GT(facts.elapsed_s, 0);
    EXPECT_GT(facts.peak_rss_bytes, 0u);
  }
  EXPECT_EQ(name_of(Compute::automatic), "auto");
  EXPECT_EQ(name_of(Compute::bf16), "bf16");
  EXPECT_EQ(name_of(Gelu::of_model), "model");
}

TEST(ModelStatistics, MustBeWholeAndOfThisModel) {
  const TinyBundle bundle;
  const fs::path path = statistics_path(bundle.file.path, {});
  EXPECT_EQ(path, bundle.folder / "model.calib.json");
  EXPECT_THAT(error_of(ErrorCode::file, [&] { statistics_for(bundle, path); }),
              HasSubstr("run `fp8q calibrate "));
  Statistics statistics;
  statistics.provenance.model_sha256 = bundle.file.sha256;
  save_statistics(statistics, path);
  EXPECT_EQ(statistics_for(bundle, path), statistics);
  statistics.part = {0, 1, 2};
  statistics.provenance.examples = 1;
  save_statistics(statistics, path);
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { statistics_for(bundle, path); }),
              HasSubstr("holds examples 1 to 1 of 2 only"));
  statistics.part = {};
  statistics.provenance.examples = 0;
  statistics.provenance.model_sha256 = std::string(64, 'b');
  save_statistics(statistics, path);
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { statistics_for(bundle, path); }),
              HasSubstr("holds the statistics of another model"));
}

}  // namespace
}  // namespace fp8q::test
