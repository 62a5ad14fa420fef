#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "engine/cpu/machine.h"
#include "fp8q/error.h"
#include "kernels/cpu/isa.h"
#include "numeric/token_scale.h"
#include "tests/unit/engine/tiny_encoder.h"

namespace fp8q::test {
namespace {

using testing::HasSubstr;

struct Variant {
  std::string name;
  TinyOptions options;
  ComputeType compute = ComputeType::automatic;
  double tolerance = 2e-5;
};
void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

std::vector<Variant> variants() {
  std::vector<Variant> all = {
      {"fp32", {}},
      {"transposed", {.transposed = true}},
      {"every_token", {.head = TinyHead::every_token}},
      {"no_head", {.head = TinyHead::none}},
      {"mean_head", {.head = TinyHead::mean, .answer = {RowFunction::softmax}}},
      {"sigmoid", {.answer = {RowFunction::sigmoid}}},
      {"pooled_probabilities",
       {.head = TinyHead::every_token, .answer = {RowFunction::softmax, RowFunction::max}}},
      {"mean", {.head = TinyHead::none, .pooled = {RowFunction::mean}}},
      {"max", {.pooled = {RowFunction::max}}},
      {"first_token", {.pooled = {RowFunction::first_token}}},
      {"normalized_mean", {.pooled = {RowFunction::mean, RowFunction::normalize}}},
      {"padding", {.padding_id = 7}},
      {"gelu_tanh", {.activation = Activation::gelu_tanh}},
      {"relu", {.activation = Activation::relu}},
      {"f16_tables", {.table_type = DType::f16}},
      {"int8_tables", {.table_type = DType::i8}},
      {"odd_sizes", {.hidden = 36, .heads = 3, .inner = 50}},
      {"bf16", {}, ComputeType::bf16, 3e-2},
      {"query_scale", {.query_scale = 0.25f}},
  };
  for (const Format f : kEveryFormat) {
    const std::string n(info(f).name);
    all.push_back({n, {.activations = f, .weights = f}});
    all.push_back({n + "_per_tensor_transposed",
                   {.activations = f, .weights = f, .channel_scales = false, .transposed = true}});
    all.push_back({n + "_weights_only", {.weights = f}});
    all.push_back({n + "_activations_only", {.activations = f}});
    all.push_back(
        {n + "_separate_query",
         {.activations = f, .weights = f, .separate_query_scale = true, .query_scale = 0.5f}});
  }
  for (const Format f : {Format::e4m3, Format::int8}) {
    const std::string n(info(f).name);
    all.push_back({n + "_everything", {.activations = f, .weights = f, .points = f}});
    all.push_back({n + "_points_only", {.points = f}});
  }
  all.push_back({"every_token_everything",
                 {.activations = Format::int8,
                  .weights = Format::int8,
                  .points = Format::int8,
                  .head = TinyHead::every_token}});
  for (const Format f : {Format::e4m3, Format::int8}) {
    const std::string n = std::string(info(f).name) + "_tokens";
    all.push_back({n, {.activations = f, .weights = f, .per_token = true}});
    all.push_back(
        {n + "_wide", {.activations = f, .weights = f, .per_token = true, .inner = 1100}});
    all.push_back({n + "_activations_only", {.activations = f, .per_token = true}});
  }
  all.push_back(
      {"int8_factors", {.activations = Format::int8, .weights = Format::int8, .factors = true}});
  all.push_back({"e4m3_factors_only", {.activations = Format::e4m3, .factors = true}});
  all.push_back(
      {"int8_tokens_factors",
       {.activations = Format::int8, .weights = Format::int8, .per_token = true, .factors = true}});
  all.push_back({"mixed", {.activations = Format::e5m2, .weights = Format::int8}});
  return all;
}

std::vector<int32_t> slice(const std::vector<int32_t>& x, int32_t from, int32_t to) {
  return {x.begin() + from, x.begin() + to};
}

void expect_close(const std::vector<float>& got, const std::vector<double>& expected,
                  double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(got[i], expected[i], tolerance) << "element " << i;
}

class CpuEngineTest : public testing::TestWithParam<Variant> {};

TEST_P(CpuEngineTest, ComputesWhatTheDefinitionSaysAtEverySite) {
  const Encoder encoder = tiny_encoder(GetParam().options);
  const auto engine = make_cpu_engine(encoder, GetParam().compute);
  for (const size_t tokens : {1, 7, 25, 64}) {
    SCOPED_TRACE(tokens);
    const PackedBatch batch = tiny_batch({tokens});
    Observed observed;
    const auto outputs =
        engine->run(batch, [&](int site, std::span<const float> x, int64_t columns) {
          EXPECT_GT(columns, 0);
          EXPECT_EQ(x.size() % static_cast<size_t>(columns), 0u);
          observed[site].insert(observed[site].end(), x.begin(), x.end());
        });
    const auto expected = naive_forward(encoder, batch.ids, batch.type_ids, observed);
    EXPECT_EQ(observed.size(), expected.computed.size());
    for (size_t i = 0; i < encoder.sites.size(); ++i)
      EXPECT_EQ(observed.contains(static_cast<int>(i)),
                encoder.sites[i].kind == SiteKind::activation)
          << encoder.sites[i].path;
    for (const auto& [site, values] : expected.computed) {
      SCOPED_TRACE(encoder.sites[static_cast<size_t>(site)].path);
      expect_close(observed[site], values, GetParam().tolerance);
    }
    ASSERT_EQ(outputs.size(), expected.outputs.size());
    for (size_t o = 0; o < outputs.size(); ++o)
      expect_close(outputs[o].values, expected.outputs[o], GetParam().tolerance);
  }
}

TEST_P(CpuEngineTest, BatchingThreadsAndObserversChangeNoBit) {
  const Encoder encoder = tiny_encoder(GetParam().options);
  const auto engine = make_cpu_engine(encoder, GetParam().compute);
  std::vector<size_t> lengths;
  for (size_t i = 0; i < 24; ++i) lengths.push_back(1 + i * 29 % 60);  // several micro-batches
  const PackedBatch batch = tiny_batch(lengths);
  const int before = threads();
  set_threads(1);
  const auto together = engine->run(batch);
  for (const int n : {2, 3}) {
    set_threads(n);
    const auto outputs = engine->run(batch);
    for (size_t o = 0; o < outputs.size(); ++o) EXPECT_EQ(outputs[o].values, together[o].values);
  }
  const auto observed = engine->run(batch, [](int, std::span<const float>, int64_t) {});
  for (size_t o = 0; o < observed.size(); ++o) EXPECT_EQ(observed[o].values, together[o].values);
  set_threads(before);
  std::vector<std::vector<float>> singly(together.size());
  for (size_t s = 0; s < batch.sequences(); ++s) {
    PackedBatch one;
    one.append(slice(batch.ids, batch.offsets[s], batch.offsets[s + 1]),
               slice(batch.type_ids, batch.offsets[s], batch.offsets[s + 1]));
    const auto outputs = engine->run(one);
    for (size_t o = 0; o < outputs.size(); ++o)
      singly[o].insert(singly[o].end(), outputs[o].values.begin(), outputs[o].values.end());
  }
  for (size_t o = 0; o < singly.size(); ++o) EXPECT_EQ(singly[o], together[o].values);
}

INSTANTIATE_TEST_SUITE_P(Variants, CpuEngineTest, testing::ValuesIn(variants()),
                         [](const auto& p) { return p.param.name; });

// The counts are those of the observer's values, whatever the batch, threads and observer.
TEST_P(CpuEngineTest, CountsWhatRoundingDoes) {
  const Encoder encoder = tiny_encoder(GetParam().options);
  const PackedBatch batch = tiny_batch({30, 1, 12, 60, 45, 51});
  std::vector<SiteRounding> expected(encoder.sites.size());
  const auto look = [&](int site, std::span<const float> given, int64_t columns) {
    const auto& q = encoder.sites[static_cast<size_t>(site)].quantization;
    if (!q) return;
    std::vector<float> products(given.begin(), given.end());
    for (size_t i = 0; i < products.size() && !q->factors.empty(); ++i)
      products[i] *= q->factors[i % q->factors.size()];
    const std::span<const float> values = products;
    SiteRounding& e = expected[static_cast<size_t>(site)];
    e.values += values.size();
    const size_t row = q->per_token ? static_cast<size_t>(columns) : values.size();
    for (size_t at = 0; at < values.size(); at += row) {
      float absmax = 0;
      for (const float v : values.subspan(at, row)) absmax = std::max(absmax, std::fabs(v));
      const float scale = q->per_token ? token_scale(q->format, absmax) : q->scale.data<float>()[0];
      for (const float v : values.subspan(at, row)) {
        e.saturated += saturates(q->format, v, scale);
        e.underflowed += underflows(q->format, v, scale);
      }
    }
  };
  const auto counting = make_cpu_engine(encoder, GetParam().compute);
  counting->run(batch, look);
  EXPECT_EQ(counting->rounding(), expected);
  const int before = threads();
  for (const int n : {1, 3}) {
    set_threads(n);
    const auto engine = make_cpu_engine(encoder, GetParam().compute);
    engine->run(batch);
    EXPECT_EQ(engine->rounding(), expected);
  }
  set_threads(before);
  const auto total = [&](auto member) {
    uint64_t sum = 0;
    for (const SiteRounding& e : expected) sum += e.*member;
    return sum;
  };
  const TinyOptions& o = GetParam().options;
  EXPECT_EQ(total(&SiteRounding::values) > 0, o.activations || o.points);
  if (o.activations == Format::int8 || o.points == Format::int8) {
    EXPECT_GT(total(&SiteRounding::underflowed), 0u);
    EXPECT_EQ(total(&SiteRounding::saturated) > 0, !o.per_token) << "absmax does not saturate";
  }
}

// Rounding as a transform of a float encoder equals the rounding of a quantized one.
TEST(CpuEngine, TransformsSimulateRounding) {
  const Encoder plain = tiny_encoder({});
  const Encoder quantized = tiny_encoder({.activations = Format::int8, .points = Format::int8});
  const PackedBatch batch = tiny_batch({30, 1, 12, 60, 45, 51});
  ASSERT_EQ(plain.sites.size(), quantized.sites.size());
  const auto engine = make_cpu_engine(plain, ComputeType::automatic);
  const auto unchanged = engine->run(batch);
  for (size_t i = 0; i < plain.sites.size(); ++i) {
    const Site& site = quantized.sites[i];
    if (!site.quantization) continue;
    SCOPED_TRACE(site.path);
    Encoder one = plain;
    one.sites[i].quantization = site.quantization;
    const float scale = site.quantization->scale.data<float>()[0];
    for (const bool residual : {false, true}) {
      for (EncoderLayer& l : one.layers) {
        l.attention_residual_rounded = residual && l.query.input_site == static_cast<int>(i);
        l.output_residual_rounded = residual && l.intermediate.input_site == static_cast<int>(i);
      }
      std::vector<SiteTransform> transforms(plain.sites.size());
      transforms[i] = {[&](std::span<float> values, int64_t columns) {
                         EXPECT_GT(columns, 0);
                         for (float& v : values)
                           v = decode(Format::int8, encode(Format::int8, v, scale)) * scale;
                       },
                       residual};
      const auto simulated = engine->run_transformed(batch, transforms);
      const auto rounded = make_cpu_engine(one, ComputeType::automatic)->run(batch);
      for (size_t o = 0; o < simulated.size(); ++o) {
        const std::vector<double> expected(rounded[o].values.begin(), rounded[o].values.end());
        // The results differ because one side multiplies codes and one scale, and the other
        // dequantized values.
        expect_close(simulated[o].values, expected, is_operand(site.role) ? 2e-6 : 0);
      }
      bool changed = false;
      for (size_t o = 0; o < simulated.size(); ++o)
        changed = changed || simulated[o].values != unchanged[o].values;
      EXPECT_TRUE(changed);
    }
  }
}

TEST(CpuEngine, TransformsDoNotDependOnTheBatch) {
  const Encoder encoder = tiny_encoder({.hidden = 36, .heads = 3, .inner = 50});
  const auto engine = make_cpu_engine(encoder, ComputeType::automatic);
  // The transform depends on all values of a sequence at the Site: its largest magnitude becomes
  // the scale.
  std::vector<SiteTransform> transforms(encoder.sites.size());
  for (size_t i = 0; i < transforms.size(); ++i)
    if (encoder.sites[i].kind == SiteKind::activation)
      transforms[i] = {[](std::span<float> values, int64_t) {
                         float largest = 0;
                         for (const float v : values) largest = std::max(largest, std::fabs(v));
                         const float scale = scale_for(Format::e4m3, largest);
                         for (float& v : values)
                           v = decode(Format::e4m3, encode(Format::e4m3, v, scale)) * scale;
                       },
                       i % 2 == 0};
  std::vector<size_t> lengths;
  for (size_t i = 0; i < 24; ++i) lengths.push_back(1 + i * 29 % 60);
  const PackedBatch batch = tiny_batch(lengths);
  const int before = threads();
  set_threads(3);
  const auto together = engine->run_transformed(batch, transforms);
  set_threads(1);
  std::vector<std::vector<float>> singly(together.size());
  for (size_t s = 0; s < batch.sequences(); ++s) {
    PackedBatch one;
    one.append(slice(batch.ids, batch.offsets[s], batch.offsets[s + 1]),
               slice(batch.type_ids, batch.offsets[s], batch.offsets[s + 1]));
    const auto outputs = engine->run_transformed(one, transforms);
    for (size_t o = 0; o < outputs.size(); ++o)
      singly[o].insert(singly[o].end(), outputs[o].values.begin(), outputs[o].values.end());
  }
  set_threads(before);
  for (size_t o = 0; o < singly.size(); ++o) EXPECT_EQ(singly[o], together[o].values);
}

// The levels begin with AVX2, since plain C has no fma, and end with AVX512-BF16 for FP8, which AMX
// sums in an order of its own.
TEST(CpuEngine, EveryInstructionSetGivesTheSame) {
  const PackedBatch batch = tiny_batch({9, 30});
  const auto check = [&](Format format, TinyOptions options) {
    options.activations = options.weights = format;
    const Encoder encoder = tiny_encoder(options);
    std::vector<float> first;
    for (size_t i = 1; i <= static_cast<size_t>(cpu::detected_isa()); ++i) {
      const auto level = static_cast<cpu::Isa>(i);
      if (level == cpu::Isa::amx && format != Format::int8) break;
      cpu::limit_isa(level);
      const auto outputs = make_cpu_engine(encoder, ComputeType::automatic)->run(batch);
      if (first.empty()) first = outputs[0].values;
      EXPECT_EQ(outputs[0].values, first) << info(format).name << " " << cpu::name(level);
    }
  };
  for (const Format format : kEveryFormat) {
    check(format, {.points = format});
    check(format, {.per_token = true, .factors = true});
    check(format, {.hidden = 15, .heads = 3, .inner = 37});  // heads of odd size
  }
  cpu::limit_isa(cpu::detected_isa());
}

TEST(CpuEngine, RejectsWhatTheTablesCannotTake) {
  const Encoder encoder = tiny_encoder({});
  const auto engine = make_cpu_engine(encoder, ComputeType::automatic);
  const auto message = [&](const PackedBatch& batch) -> std::string {
    try {
      engine->run(batch);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::bad_data);
      return e.what();
    }
    return "";
  };
  PackedBatch batch = tiny_batch({5});
  batch.ids[3] = 50;
  EXPECT_THAT(message(batch), HasSubstr("token id 50 is outside the vocabulary of 50"));
  batch.ids[3] = -1;
  EXPECT_THAT(message(batch), HasSubstr("token id -1"));
  batch = tiny_batch({5, 65});
  EXPECT_THAT(message(batch), HasSubstr("sequence 1 has 65 tokens; the model takes at most 64"));
  batch = tiny_batch({5});
  batch.type_ids[0] = 2;
  EXPECT_THAT(message(batch), HasSubstr("token type 2"));
  EXPECT_THAT(message(tiny_batch({5, 0})), HasSubstr("sequence 1 has no tokens"));
}

// Sums of embeddings that are rounded are not yet the input of the first layer. The input's counts
// are those of quantizing their LayerNorm, whether or not somebody observes.
TEST(CpuEngine, CountsLayerInputsOnceBehindRoundedEmbeddings) {
  Encoder encoder = tiny_encoder({.activations = Format::e4m3, .weights = Format::e4m3});
  const auto sum = static_cast<size_t>(encoder.embeddings.norm.input_site);
  const auto input = static_cast<size_t>(encoder.layers[0].query.input_site);
  // Values beyond 0.875 saturate.
  encoder.sites[input].quantization->scale = Tensor::scalar(0x1p-9f);
  encoder.sites[sum].quantization = encoder.sites[input].quantization;
  const PackedBatch batch = tiny_batch({7, 40});
  const auto fed = make_cpu_engine(encoder, ComputeType::automatic);
  const auto watched = make_cpu_engine(encoder, ComputeType::automatic);
  EXPECT_EQ(fed->run(batch)[0].values,
            watched->run(batch, [](int, std::span<const float>, int64_t) {})[0].values);
  EXPECT_GT(watched->rounding()[input].saturated, 0u);
  EXPECT_EQ(fed->rounding(), watched->rounding());
}

TEST(CpuEngine, AnEmptyBatchHasEmptyOutputs) {
  const auto outputs = make_cpu_engine(tiny_encoder({}), ComputeType::automatic)->run({});
  ASSERT_EQ(outputs.size(), 3u);
  for (const auto& o : outputs) EXPECT_TRUE(o.values.empty());
}

TEST(CpuEngine, SaysWhatItUses) {
  const Encoder encoder = tiny_encoder({.activations = Format::e4m3, .weights = Format::e4m3});
  const auto engine = make_cpu_engine(encoder, ComputeType::automatic);
  EXPECT_THAT(engine->description(), HasSubstr("(Highway)"));
  const auto kernels = engine->kernels();
  ASSERT_EQ(kernels.size(), encoder.sites.size());
  for (size_t i = 0; i < kernels.size(); ++i) {
    EXPECT_EQ(kernels[i].path, encoder.sites[i].path);
    EXPECT_EQ(kernels[i].requested, encoder.sites[i].quantization ? "e4m3" : "fp32");
    EXPECT_NE(kernels[i].effective, "not used") << kernels[i].path;
  }
}

TEST(CpuEngine, SaysHowAttentionFormsItsProducts) {
  for (size_t i = 0; i <= static_cast<size_t>(cpu::detected_isa()); ++i) {
    cpu::limit_isa(static_cast<cpu::Isa>(i));
    const bool tiles = cpu::isa() == cpu::Isa::amx, dots = cpu::machine().bf16_dots;
    const std::string products = tiles  ? "bf16 dot products by AMX tiles"
                                 : dots ? "bf16 dot products"
                                        : "fp32 products";
    for (const Format format : {Format::e4m3, Format::int8}) {
      const Encoder encoder = tiny_encoder({.activations = format, .weights = format});
      const auto kernels = make_cpu_engine(encoder, ComputeType::automatic)->kernels();
      const auto effective = [&](int site) { return kernels[static_cast<size_t>(site)].effective; };
      const Attention& a = encoder.layers[0].attention;
      const std::string of_tiles = "int8 dot products by AMX tiles, exact int32 sums";
      if (format == Format::e4m3) {
        EXPECT_EQ(effective(a.query_site), "e4m3 as " + products + ", exact; fp32 sums");
        EXPECT_EQ(effective(a.value_site), "e4m3 as " + products + ", exact; fp32 sums");
      } else {
        EXPECT_EQ(effective(a.query_site),
                  tiles ? of_tiles : "int8 as " + products + ", exact sums");
        EXPECT_EQ(effective(a.value_site),
                  tiles ? of_tiles : "int8 as " + products + ", exact sums up to 1024 tokens");
      }
    }
  }
  cpu::limit_isa(cpu::detected_isa());
}

TEST(CpuEngine, Int8LayersAreNeverFloatProducts) {
  const Encoder encoder = tiny_encoder({.activations = Format::int8, .weights = Format::int8});
  for (size_t i = 0; i <= static_cast<size_t>(cpu::detected_isa()); ++i) {
    cpu::limit_isa(static_cast<cpu::Isa>(i));
    const auto kernels = make_cpu_engine(encoder, ComputeType::automatic)->kernels();
    for (size_t s = 0; s < kernels.size(); ++s) {
      if (encoder.sites[s].kind != SiteKind::weight || !encoder.sites[s].quantization) continue;
      EXPECT_THAT(kernels[s].effective, HasSubstr("exact int32 sums")) << kernels[s].path;
      if (cpu::isa() < cpu::Isa::avx512_vnni) {
        EXPECT_EQ(kernels[s].effective, "int8 as int16 products, exact int32 sums");
      }
    }
  }
  cpu::limit_isa(cpu::detected_isa());
}

}  // namespace
}  // namespace fp8q::test
