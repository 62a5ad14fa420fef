// Tests the quantization of everything. However an encoder is written, a naive recipe's Q/DQ pairs
// are put behind its values, found again, and executed by the engine as the interpreter does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "calibrate/statistics.h"
#include "encoder/widen.h"
#include "engine/engine.h"
#include "onnx/upgrade.h"
#include "quantize/planner.h"
#include "quantize/rewrite.h"
#include "unit/encoder/variants.h"

namespace fp8q::test {
namespace {

std::vector<Variant> float_variants() {
  auto all = variants();
  std::erase_if(all, [](const Variant& v) {
    return v.style.quantization != QuantStyle::none || v.name.ends_with("Codes");
  });
  return all;
}

PackedBatch batch_for(const Style& style) {
  const std::vector<size_t> lengths =
      style.fixed_shape ? std::vector<size_t>{12, 12} : std::vector<size_t>{12, 3, 1, 9};
  PackedBatch batch;
  int32_t id = 3;
  for (const size_t n : lengths) {
    std::vector<int32_t> ids(n), types(n);
    for (size_t i = 0; i < n; ++i) {
      ids[i] = id = (id * 7 + 11) % 55 + 2;
      types[i] = i > n / 2;
    }
    batch.append(ids, types);
  }
  return batch;
}

Statistics observed(Engine& engine, const std::vector<Site>& sites, const PackedBatch& batch) {
  Statistics statistics;
  for (const Site& site : sites) statistics.sites.push_back({site.value, site.path, {}});
  engine.run(batch, [&](int site, std::span<const float> values, int64_t) {
    statistics.sites[static_cast<size_t>(site)].statistics.observe(values, 0, 0);
  });
  return statistics;
}

double nmse(const std::vector<EngineOutput>& actual, const std::vector<EngineOutput>& expected) {
  double difference = 0, square = 0;
  for (size_t o = 0; o < expected.size(); ++o)
    for (size_t i = 0; i < expected[o].values.size(); ++i) {
      const double e = expected[o].values[i];
      difference += (actual[o].values[i] - e) * (actual[o].values[i] - e);
      square += e * e;
    }
  return difference / square;
}

struct Loaded {
  Model model;
  Encoder encoder;
};

void rename_input(Graph& graph, const std::string& from, const std::string& to) {
  for (ValueInfo& input : graph.inputs)
    if (input.name == from) input.name = to;
  for (Node& node : graph.nodes) std::ranges::replace(node.inputs, from, to);
}

// Names the inputs as the interpreter's engine expects.
Loaded float_model(const Style& style) {
  Loaded loaded{opened(style), {}};
  upgrade_opset(loaded.model, 21);
  const Encoder found = recognized(loaded.model);
  rename_input(loaded.model.graph, found.ids_input, "input_ids");
  rename_input(loaded.model.graph, found.mask_input, "attention_mask");
  rename_input(loaded.model.graph, found.token_type_input, "token_type_ids");
  rename_input(loaded.model.graph, found.position_input, "position_ids");
  loaded.encoder = recognized(loaded.model);
  find_types(loaded.model, loaded.encoder.sites);
  return loaded;
}

Loaded converted(const Loaded& source, const PackedBatch& batch, const char* recipe) {
  const auto engine = make_cpu_engine(source.encoder, ComputeType::automatic);
  const Statistics statistics = observed(*engine, source.encoder.sites, batch);
  const Plan plan =
      make_plan(source.model, source.encoder.sites, &statistics, *recipe_named(recipe), {});
  Loaded result{quantize_model(source.model, source.encoder.sites, plan), {}};
  result.encoder = recognized(result.model);
  return result;
}

class Naive : public testing::TestWithParam<Variant> {};
INSTANTIATE_TEST_SUITE_P(Encoder, Naive, testing::ValuesIn(float_variants()),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(Naive, EverySiteIsQuantizedAndFoundAgain) {
  const Loaded source = float_model(GetParam().style);
  const PackedBatch batch = batch_for(GetParam().style);
  const Loaded naive = converted(source, batch, "naive-int8");
  ASSERT_EQ(naive.encoder.sites.size(), source.encoder.sites.size());
  for (size_t i = 0; i < naive.encoder.sites.size(); ++i) {
    const Site& site = naive.encoder.sites[i];
    EXPECT_EQ(site.path, source.encoder.sites[i].path);
    ASSERT_TRUE(site.quantization) << site.path;
    EXPECT_EQ(site.quantization->format, Format::int8) << site.path;
    EXPECT_EQ(site.quantization->scale.size(), 1) << site.path;
  }
  for (const EncoderLayer& layer : naive.encoder.layers) {
    EXPECT_TRUE(layer.attention_residual_rounded);
    EXPECT_TRUE(layer.output_residual_rounded);
  }
  for (size_t i = 0; i < source.model.graph.outputs.size(); ++i)
    EXPECT_EQ(naive.model.graph.outputs[i].name, source.model.graph.outputs[i].name);

  const Loaded ordinary = converted(source, batch, "int8");
  for (const Site& site : ordinary.encoder.sites)
    EXPECT_TRUE(is_operand(site.role) || !site.quantization) << site.path;
  for (const EncoderLayer& layer : ordinary.encoder.layers)
    EXPECT_FALSE(layer.attention_residual_rounded || layer.output_residual_rounded);
}

// A model and what the interpreter makes of it. A graph in 16 bits is run in FP32, as the engine
// does, because rounding every result would hide differences.
struct Oracle {
  Oracle(const Loaded& loaded, const Style& style)
      : wide(style.type == DType::f32 ? WideModel{loaded.model, 0} : widened(loaded.model)),
        engine(make_interpreter_engine(wide.model, sites(loaded))) {}

  std::vector<Site> sites(const Loaded& loaded) const {
    std::vector<Site> sites = loaded.encoder.sites;
    for (Site& site : sites) {
      for (Use& use : site.uses) use.node += wide.casts;
      if (site.residual) site.residual->node += wide.casts;
      if (wide.casts > 0) site.dtype = DType::f32;
    }
    return sites;
  }

  WideModel wide;
  std::unique_ptr<Engine> engine;
};

// Codes of values that differ in the last bits may be neighbors, so the test bounds an NMSE.
TEST_P(Naive, EngineAgreesWithTheInterpreter) {
  const Loaded source = float_model(GetParam().style);
  const PackedBatch batch = batch_for(GetParam().style);
  for (const char* recipe : {"naive-int8", "naive-e4m3"}) {
    SCOPED_TRACE(recipe);
    const Loaded naive = converted(source, batch, recipe);
    const auto engine = make_cpu_engine(naive.encoder, ComputeType::automatic);
    const Oracle oracle(naive, GetParam().style);
    EXPECT_LE(nmse(engine->run(batch), oracle.engine->run(batch)), 3e-3);

    const auto counts = engine->rounding(), expected = oracle.engine->rounding();
    ASSERT_EQ(counts.size(), expected.size());
    for (size_t i = 0; i < counts.size(); ++i) {
      SCOPED_TRACE(naive.encoder.sites[i].path);
      EXPECT_EQ(counts[i].values, expected[i].values);
      const auto few = static_cast<double>(counts[i].values) / 50 + 1;
      EXPECT_NEAR(static_cast<double>(counts[i].saturated),
                  static_cast<double>(expected[i].saturated), few);
      EXPECT_NEAR(static_cast<double>(counts[i].underflowed),
                  static_cast<double>(expected[i].underflowed), few);
    }
  }
}

// A transform at any Site does the same in both executions, with or without the residual sum.
TEST_P(Naive, TransformsAgreeWithTheInterpreter) {
  if (GetParam().style.fixed_shape) GTEST_SKIP() << "the interpreter pads these";
  const Loaded source = float_model(GetParam().style);
  const PackedBatch batch = batch_for(GetParam().style);
  const auto engine = make_cpu_engine(source.encoder, ComputeType::automatic);
  const Oracle oracle(source, GetParam().style);
  const auto plain = engine->run(batch);
  for (size_t i = 0; i < source.encoder.sites.size(); ++i) {
    const Site& site = source.encoder.sites[i];
    if (site.kind == SiteKind::weight) continue;
    SCOPED_TRACE(site.path);
    std::vector<std::vector<EngineOutput>> results;
    for (const bool residual : {false, true}) {
      std::vector<SiteTransform> transforms(source.encoder.sites.size());
      transforms[i] = {[](std::span<float> values, int64_t) {
                         for (float& v : values) v = 0.75f * v + 0.125f * std::fabs(v);
                       },
                       residual};
      results.push_back(engine->run_transformed(batch, transforms));
      EXPECT_LE(nmse(results.back(), oracle.engine->run_transformed(batch, transforms)), 1e-9);
      EXPECT_GT(nmse(results.back(), plain), 1e-12) << "the transform did nothing";
    }
    EXPECT_EQ(nmse(results[0], results[1]) > 1e-12, site.residual.has_value());
  }
}

}  // namespace
}  // namespace fp8q::test
