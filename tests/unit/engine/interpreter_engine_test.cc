#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "fp8q/error.h"
#include "tests/support/errors.h"

namespace fp8q {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

ValueInfo ids_like(const std::string& name, int64_t batch, int64_t sequence,
                   DType dtype = DType::i64) {
  return {name, dtype, true, {{batch, "batch"}, {sequence, "sequence"}}};
}

// The model computes states[b, s, :] = table[ids] * mask and sums[b, :] = sum over s. It has two
// outputs and one Site.
Model token_model(int64_t batch, int64_t sequence) {
  Model m;
  m.ir_version = 8;
  m.opsets[""] = 17;
  m.graph.inputs = {ids_like("input_ids", batch, sequence),
                    ids_like("attention_mask", batch, sequence)};
  m.graph.initializers["table"] = Tensor::of<float>({3, 2}, {1, 10, 2, 20, 3, 30});
  m.graph.initializers["two"] = Tensor::of<int64_t>({1}, {2});
  m.graph.initializers["one"] = Tensor::of<int64_t>({1}, {1});
  m.graph.initializers["w"] = Tensor::of<float>({2, 1}, {1, 1});
  const auto add = [&](const char* op, std::vector<std::string> in, const char* out) {
    Node n;
    n.op_type = op;
    n.inputs = std::move(in);
    n.outputs = {out};
    m.graph.nodes.push_back(std::move(n));
    return &m.graph.nodes.back();
  };
  add("Gather", {"table", "input_ids"}, "rows");
  add("Cast", {"attention_mask"}, "mask")->attributes["to"] = int64_t{1};
  add("Unsqueeze", {"mask", "two"}, "mask3");
  add("Mul", {"rows", "mask3"}, "states");
  add("MatMul", {"states", "w"}, "tokens");
  Node* sum = add("ReduceSum", {"tokens", "one"}, "sums");
  sum->attributes["keepdims"] = int64_t{0};
  m.graph.outputs = {{"tokens", DType::f32, false, {}}, {"sums", DType::f32, false, {}}};
  return m;
}

PackedBatch two_sequences() {
  PackedBatch b;
  b.append(std::vector<int32_t>{1, 2}, {});
  b.append(std::vector<int32_t>{2, 2, 1}, {});
  return b;
}

Site states_site() {
  Site s;
  s.path = "states";
  s.value = "states";
  s.role = SiteRole::head;
  return s;
}

class InterpreterEngineTest : public testing::TestWithParam<std::pair<int64_t, int64_t>> {};

TEST_P(InterpreterEngineTest, RunsEachSequenceAndShowsRealTokensOnly) {
  const Model model = token_model(GetParam().first, GetParam().second);
  const auto engine = make_interpreter_engine(model, {states_site()});
  std::vector<float> seen;
  const SiteObserver observer = [&](int site, std::span<const float> x, int64_t columns) {
    EXPECT_EQ(site, 0);
    EXPECT_EQ(columns, 2);
    seen.insert(seen.end(), x.begin(), x.end());
  };
  for (const SiteObserver& o : {SiteObserver(), observer}) {
    const auto outputs = engine->run(two_sequences(), o);
    ASSERT_EQ(outputs.size(), 2u);
    EXPECT_TRUE(outputs[0].per_token);
    EXPECT_EQ(outputs[0].width, 1);
    EXPECT_THAT(outputs[0].values, ElementsAre(22, 33, 33, 33, 22));
    EXPECT_FALSE(outputs[1].per_token);
    EXPECT_THAT(outputs[1].values, ElementsAre(55, 88));
  }
  EXPECT_THAT(seen, ElementsAre(2, 20, 3, 30, 3, 30, 3, 30, 2, 20));
}

INSTANTIATE_TEST_SUITE_P(Shapes, InterpreterEngineTest,
                         testing::Values(std::pair<int64_t, int64_t>{-1, -1},
                                         std::pair<int64_t, int64_t>{1, 5},
                                         std::pair<int64_t, int64_t>{4, 5}));

TEST(InterpreterEngine, NamesWhatItCannotFeed) {
  Model model = token_model(-1, -1);
  model.graph.inputs.push_back({"temperature", DType::f32, true, {}});
  EXPECT_THAT(error_of(ErrorCode::unsupported, [&] { make_interpreter_engine(model, {}); }),
              HasSubstr("\"temperature\""));
}

TEST(InterpreterEngine, RefusesSequencesLongerThanAFixedShape) {
  const Model model = token_model(1, 2);
  const auto engine = make_interpreter_engine(model, {});
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { engine->run(two_sequences()); }),
              HasSubstr("fixed at 2"));
}

}  // namespace
}  // namespace fp8q
