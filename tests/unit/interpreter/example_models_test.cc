// Compares the example models with the logits that onnxruntime computed.
#include <gtest/gtest.h>

#include <algorithm>

#include "interpreter/interpreter.h"
#include "onnx/load.h"
#include "support/npz.h"
#include "support/paths.h"

namespace fp8q::test {
namespace {

constexpr double kTolerance = 1e-4;
constexpr size_t kExamples = 4;

using Archive = std::map<std::string, NpyArray>;

struct Slice {
  size_t begin;
  size_t end;
};

Slice tokens_of(const Archive& archive, size_t example) {
  const auto offsets = archive.at("offsets").as<int64_t>();
  return {static_cast<size_t>(offsets.at(example)), static_cast<size_t>(offsets.at(example + 1))};
}

Tensor row(const std::vector<int64_t>& all, Slice s) {
  const std::vector<int64_t> part(all.begin() + static_cast<ptrdiff_t>(s.begin),
                                  all.begin() + static_cast<ptrdiff_t>(s.end));
  return Tensor::of<int64_t>({1, static_cast<int64_t>(part.size())}, part);
}

std::map<std::string, Tensor> inputs_of(const Archive& archive, Slice s) {
  return {{"input_ids", row(archive.at("input_ids").as<int64_t>(), s)},
          {"token_type_ids", row(archive.at("token_type_ids").as<int64_t>(), s)},
          {"attention_mask", row(std::vector<int64_t>(s.end, 1), s)}};
}

// Returns the part of the reference array that belongs to one example: a row of logits, or one
// value per token.
std::vector<float> expected(const Archive& archive, const std::string& output, size_t example,
                            Slice s) {
  const auto all = archive.at(output).as<float>();
  const size_t classes = output == "logits" ? archive.at(output).shape.at(1) : 0;
  const size_t begin = classes ? example * classes : s.begin;
  const size_t end = classes ? begin + classes : s.end;
  return {all.begin() + static_cast<ptrdiff_t>(begin), all.begin() + static_cast<ptrdiff_t>(end)};
}

class ExampleModel : public ::testing::TestWithParam<std::string> {};

TEST_P(ExampleModel, GivesTheReferenceLogits) {
  const std::string& folder = GetParam();
  const auto path = example_model(folder) / "model.onnx";
  std::string task = folder;
  if (task.ends_with("-dynamo")) task.resize(task.size() - 7);
  const auto reference = shared_path("models/reference/" + task + ".npz");
  FP8Q_SKIP_WITHOUT(path);
  FP8Q_SKIP_WITHOUT(reference);
  const Model model = load_model(path);
  const Interpreter interpreter(model);
  const Archive archive = read_npz(reference);
  for (size_t example = 0; example < kExamples; ++example) {
    const Slice s = tokens_of(archive, example);
    for (const auto& [name, tensor] : interpreter.run(inputs_of(archive, s))) {
      const auto wanted = expected(archive, name, example, s);
      ASSERT_EQ(static_cast<size_t>(tensor.size()), wanted.size());
      for (size_t i = 0; i < wanted.size(); ++i)
        ASSERT_NEAR(tensor.data<float>()[i], wanted[i], kTolerance)
            << name << " of example " << example;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ExampleModel,
                         ::testing::Values("minilm-l6-sst2", "minilm-l6-sst2-dynamo",
                                           "minilm-l6-mrpc", "minilm-l6-mrpc-dynamo",
                                           "minilm-l6-stsb", "minilm-l6-stsb-dynamo",
                                           "minilm-l6-squad", "minilm-l6-squad-dynamo"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace fp8q::test
