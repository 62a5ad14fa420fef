// Tests the manifest's round trip, its refusal when damaged, and the detection of quantized models.
#include "quantize/manifest.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "quantize/detect.h"
#include "quantize/rewrite.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

Plan example_plan(const Model& model, const std::vector<Site>& sites) {
  const Statistics statistics = statistics_for(sites);
  Plan plan = make_plan(model, sites, &statistics, default_recipe(),
                        {.quantize_head = true, .observer = Observer::percentile});
  plan.source = {.version = "0.1.0",
                 .model_name = "model.onnx",
                 .model_sha256 = std::string(64, 'a'),
                 .model_bytes = 90'000'000'000,
                 .statistics_sha256 = std::string(64, 'b')};
  return plan;
}

TEST(Manifest, RoundTrip) {
  const Model model = attention_model();
  const auto sites = generic_sites(model);
  const Plan plan = example_plan(model, sites);
  const Model out = quantize_model(model, sites, plan);
  EXPECT_EQ(read_manifest(out), manifest_of(plan));
  EXPECT_EQ(read_manifest(out)->sites.size(), 4u);
  EXPECT_EQ(read_manifest(model), std::nullopt);
}

TEST(Manifest, ScalesFoundAtRunTimeAreNotInIt) {
  const Model model = linear_model(random_tensor({6, 5}, 1));
  const auto sites = with_role(generic_sites(model), SiteRole::intermediate);
  const Plan plan = make_plan(model, sites, nullptr, *recipe_named("int8-dynamic"), {});
  const Model out = quantize_model(model, sites, plan);
  EXPECT_EQ(read_manifest(out), manifest_of(plan));
  EXPECT_EQ(read_manifest(out)->sites[0].granularity, "token");
  const auto json = nlohmann::json::parse(out.metadata.at("fp8q.manifest"));
  EXPECT_FALSE(json["sites"][0].contains("scale"));
  EXPECT_TRUE(json["sites"][1].contains("scale"));
}

TEST(Manifest, DamageIsNamed) {
  const Model source = attention_model();
  const auto sites = generic_sites(source);
  const Model good = quantize_model(source, sites, example_plan(source, sites));
  const std::string text = good.metadata.at("fp8q.manifest");
  const auto expect = [&](const std::string& bytes, const std::string& where) {
    Model model = good;
    model.metadata["fp8q.manifest"] = bytes;
    try {
      read_manifest(model);
      ADD_FAILURE() << "accepted: " << bytes.substr(0, 100);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_model);
      EXPECT_NE(std::string(error.what()).find(where), std::string::npos) << error.what();
    }
  };
  for (size_t i = 0; i < text.size(); ++i) expect(text.substr(0, i), "not valid JSON");
  expect("[]", "fp8q.manifest");
  expect(std::string(100'000, '['), "nested");
  expect("{\"recipe\":\"e4m3\"," + text.substr(1), "\"recipe\" stands twice");
  const auto changed = [&](auto change) {
    auto json = nlohmann::json::parse(text);
    change(json);
    return json.dump();
  };
  expect(changed([](auto& j) { j["schema"] = "fp8q/manifest/9"; }), "manifest/9");
  expect(changed([](auto& j) { j.erase("recipe"); }), "recipe");
  expect(changed([](auto& j) { j["sites"] = 1; }), "sites");
  expect(changed([](auto& j) { j["sites"][0]["value"] = 1; }), "sites[0].value");
  expect(changed([](auto& j) { j["sites"][2]["scale"] = "x"; }), "sites[2].scale");
  expect(changed([](auto& j) { j["source"]["bytes"] = -1; }), "source.bytes");
  expect(changed([](auto& j) { j["sites"][2]["observer"] = 1; }), "sites[2].observer");
}

TEST(Detect, FloatQuantizedAndForeignModels) {
  const Model source = attention_model();
  EXPECT_FALSE(is_quantized(source));
  EXPECT_EQ(format_of(source), "fp32");
  const auto sites = generic_sites(source);
  const Model converted = quantize_model(source, sites, example_plan(source, sites));
  const auto found = find_quantization(converted);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->recipe, "e4m3");
  EXPECT_EQ(format_of(converted), "e4m3");
  EXPECT_NE(found->description.find("fp8q"), std::string::npos);

  Model stripped = converted;
  stripped.metadata.clear();
  const auto foreign = find_quantization(stripped);
  ASSERT_TRUE(foreign);
  EXPECT_EQ(foreign->recipe, "");
  EXPECT_EQ(format_of(stripped), "quantized");
  EXPECT_NE(foreign->description.find("QuantizeLinear"), std::string::npos);
  for (const char* op : {"QLinearMatMul", "TRT_FP8QuantizeLinear", "MatMulInteger", "QAttention"}) {
    Model other = source;
    other.graph.nodes[1].op_type = op;
    EXPECT_TRUE(is_quantized(other)) << op;
  }
}

// Makes Cast(codes) * scale as the weight of a product, or behind a lookup.
Model decoding_model(DType type, bool lookup) {
  ModelBuilder b;
  b.input("x", {4, 6}).input("ids", {4}, DType::i64).output("y", {4, 5});
  b.constant("codes", Tensor(type, {6, 5})).constant("scale", Tensor::scalar(0.1f));
  if (lookup) b.node("Gather", {"codes", "ids"}, "rows");
  b.node("Cast", {lookup ? "rows" : "codes"}, "cast", {{"to", int64_t{1}}});
  b.node("Mul", {"scale", "cast"}, "decoded");
  b.node("Transpose", {"decoded"}, "turned").node("Transpose", {"turned"}, "w");
  if (lookup) b.node("Add", {"w", "w"}, "y");
  else b.node("MatMul", {"x", "w"}, "y");
  return b.model;
}

TEST(Detect, CodesThatCastAndMulDecode) {
  for (const bool lookup : {false, true}) {
    for (const DType type : {DType::i8, DType::u8, DType::e4m3}) {
      const auto found = find_quantization(decoding_model(type, lookup));
      ASSERT_TRUE(found);
      EXPECT_NE(found->description.find("Cast \"node:cast\""), std::string::npos);
      EXPECT_EQ(format_of(decoding_model(type, lookup)), "quantized");
    }
    EXPECT_FALSE(is_quantized(decoding_model(DType::f16, lookup)));
  }
}

TEST(Detect, BytesOfAMaskAreNoWeights) {
  ModelBuilder b;
  b.input("x", {6, 5}).output("y", {6, 5}).constant("mask", Tensor(DType::u8, {6, 5}));
  b.node("Cast", {"mask"}, "kept", {{"to", int64_t{1}}}).node("Mul", {"kept", "kept"}, "bias");
  b.node("Add", {"x", "bias"}, "y");
  EXPECT_FALSE(is_quantized(b.model));
}

TEST(Detect, TheTypeInWhichWeightsEnterProducts) {
  for (const auto& [type, name] :
       {std::pair{DType::f32, "fp32"}, {DType::f16, "fp16"}, {DType::bf16, "bf16"}})
    EXPECT_EQ(format_of(linear_model(random_tensor({6, 5}, 1).to(type))), name);
  Model widened = linear_model(Tensor(DType::f32, {6, 5}));
  widened.graph.initializers["stored"] = Tensor(DType::f16, {6, 5});
  widened.graph.initializers.erase("W");
  widened.graph.nodes.insert(widened.graph.nodes.begin(), {.op_type = "Cast",
                                                           .inputs = {"stored"},
                                                           .outputs = {"W"},
                                                           .attributes = {{"to", int64_t{1}}}});
  EXPECT_EQ(format_of(widened), "fp32");
}

}  // namespace
}  // namespace fp8q::test
