// Takes a RoBERTa folder through every command: byte-level BPE, positions that begin behind the
// padding id and do not count it, no token types. The model is tiny and random; what counts is that
// it runs as its graph says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "onnx/save.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/unit/encoder/tiny_encoder.h"

namespace fp8q::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

// Exporters name the inputs; the interpreter goes by these names.
void rename(Model& model, const std::string from, const std::string& to) {
  for (ValueInfo& input : model.graph.inputs)
    if (input.name == from) input.name = to;
  for (Node& node : model.graph.nodes)
    for (std::string& input : node.inputs)
      if (input == from) input = to;
}

class Roberta : public testing::Test {
 protected:
  void SetUp() override {
    Style style;
    style.embedding = EmbeddingStyle::roberta;
    style.head = HeadStyle::bert;
    style.vocabulary = 380;
    style.labels = 2;
    Model model = tiny_encoder(style);
    rename(model, model.graph.inputs[0].name, "input_ids");
    rename(model, model.graph.inputs[1].name, "attention_mask");
    save_model(model, folder() / "model.onnx");
    write("config.json", R"({"model_type": "roberta", "pad_token_id": 1, "vocab_size": 380,
      "architectures": ["RobertaForSequenceClassification"], "type_vocab_size": 1,
      "max_position_embeddings": 90, "id2label": {"0": "negative", "1": "positive"}})");
    const json spec =
        json::parse(read_file(source_dir() / "tests/golden/bpe.json", 1 << 24))["spec"];
    write("vocab.json", spec["model"]["vocab"].dump());
    std::string merges = "#version: 0.2\n";
    for (const json& pair : spec["model"]["merges"])
      merges += pair[0].get<std::string>() + " " + pair[1].get<std::string>() + "\n";
    write("merges.txt", merges);
    write("glue/SST-2/dev.tsv",
          "sentence\tlabel\nIt's a charming film .\t1\nthe  ending <mask> isn't better\t0\n"
          "caf\u00e9 \U0001F600\t1\n" +
              std::string(300, 'x') + "\t0\n" + "a <pad> film<pad><pad> is\t1\n");
  }

  fs::path folder() const { return temporary_.path(); }

  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder() / name).parent_path());
    std::ofstream(folder() / name, std::ios::binary) << content;
  }

  std::string ok(const std::vector<std::string>& arguments) const {
    const ProcessResult r = run_fp8q(arguments, {.folder = folder()});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.out + r.err;
  }

  // Returns the logits of every example of the table above.
  std::vector<std::vector<double>> logits(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--task", "sst2", "--data", "glue", "--device", "cpu",
                                       "--predictions", "predictions.jsonl", "--force"});
    ok(arguments);
    std::ifstream in(folder() / "predictions.jsonl");
    std::vector<std::vector<double>> out;
    for (std::string line; std::getline(in, line);)
      out.push_back(json::parse(line)["logits"].get<std::vector<double>>());
    return out;
  }

  TemporaryFolder temporary_;
};

TEST_F(Roberta, IsInspected) {
  const std::string facts = ok({"inspect", "."});
  EXPECT_THAT(facts, HasSubstr("2 layers"));
  EXPECT_THAT(facts, HasSubstr("380 words, 88 positions, 1 token types"));
  EXPECT_THAT(facts, HasSubstr("byte-level BPE, 380 tokens, case kept"));
  EXPECT_THAT(facts, Not(HasSubstr("interpreter")));
}

TEST_F(Roberta, RunsAsItsGraphSays) {
  const auto engine = logits({"eval", "model.onnx"});
  const auto reference = logits({"eval", "model.onnx", "--reference"});
  ASSERT_EQ(engine.size(), 5u);
  ASSERT_EQ(reference.size(), 5u);
  for (size_t e = 0; e < engine.size(); ++e)
    for (size_t i = 0; i < 2; ++i)
      EXPECT_NEAR(engine[e][i], reference[e][i], 1e-4) << "example " << e;
}

TEST_F(Roberta, GoesThroughTheMainJob) {
  EXPECT_THAT(ok({"calibrate", "model.onnx"}), HasSubstr("model.calib.json"));
  for (const std::string format : {"e4m3", "int8"})
    EXPECT_THAT(ok({"convert", "--format", format}), HasSubstr("28 " + format));
  EXPECT_THAT(ok({"eval", "--task", "sst2", "--data", "glue"}), HasSubstr("model.int8.onnx"));
  EXPECT_EQ(logits({"eval", "model.e4m3.onnx"}).size(), 5u);
}

}  // namespace
}  // namespace fp8q::test
