// Makes a tiny encoder in some exporter's manner, perhaps quantizes it by some plan, and runs it on
// some texts: the CPU engine must give what the interpreter gives.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "encoder/expand_attention.h"
#include "encoder/recognize.h"
#include "encoder/widen.h"
#include "engine/engine.h"
#include "interpreter/interpreter.h"
#include "onnx/upgrade.h"
#include "quantize/choice.h"
#include "quantize/planner.h"
#include "quantize/rewrite.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/tiny_style.h"

namespace fp8q::test {
namespace {

using Outputs = std::vector<std::vector<float>>;  // by output

struct Sequence {
  std::vector<int32_t> ids, types;
  size_t padding = 0;  // tokens behind the sequence, for the interpreter
};

std::vector<Sequence> sequences_of(ByteSource& bytes, const Style& style) {
  std::vector<Sequence> sequences(1 + bytes.below(3));
  for (Sequence& s : sequences) {
    const size_t length = style.fixed_shape ? 12 : 1 + bytes.below(kMostTokens);
    for (size_t t = 0; t < length; ++t) {
      // The id 1 is padding, which a model may read from the ids.
      s.ids.push_back(static_cast<int32_t>(bytes.between(2, style.vocabulary - 1)));
      s.types.push_back(static_cast<int32_t>(bytes.between(0, style.types - 1)));
    }
    // Without a mask, or with a mean of all tokens, padding would be read.
    const bool reads_all = style.mask == MaskStyle::none || style.head == HeadStyle::mean;
    s.padding = style.fixed_shape || reads_all ? 0 : bytes.below(3);
  }
  return sequences;
}

std::map<std::string, Tensor> inputs_of(const Model& model, const Encoder& encoder,
                                        const Sequence& s) {
  const size_t length = s.ids.size() + s.padding;
  std::map<std::string, Tensor> inputs;
  for (const ValueInfo& input : model.graph.inputs) {
    std::vector<int64_t> values(length, 0);
    for (size_t t = 0; t < length; ++t) {
      const bool text = t < s.ids.size();
      if (input.name == encoder.ids_input) values[t] = text ? s.ids[t] : 1;
      if (input.name == encoder.mask_input) values[t] = text;
      if (input.name == encoder.token_type_input) values[t] = text ? s.types[t] : 0;
      if (input.name == encoder.position_input) values[t] = static_cast<int64_t>(t);
    }
    inputs.emplace(input.name, Tensor::of<int64_t>({1, static_cast<int64_t>(length)}, values));
  }
  return inputs;
}

// Runs every sequence through the interpreter, in FP32 throughout as the engine does. With a
// `nudge`, the floats that enter products and roundings differ by this share, up or down.
Outputs interpreted(const Model& stored, const Encoder& encoder,
                    const std::vector<Sequence>& sequences, float nudge) {
  const Model model = widened(stored).model;
  const Interpreter interpreter(model);
  const auto nudged = [&](const Use& slot, const Tensor& value) -> std::optional<Tensor> {
    const std::string& op = model.graph.nodes[slot.node].op_type;
    const bool enters = op == "MatMul" || op == "Gemm" || (op == "QuantizeLinear" && !slot.input);
    if (nudge == 0 || !enters || value.dtype() != DType::f32) return std::nullopt;
    Tensor changed = value;
    size_t i = slot.node;
    for (float& v : changed.mutable_data<float>()) v *= 1 + (++i % 3 ? nudge : -nudge);
    return changed;
  };
  Outputs outputs(encoder.outputs.size());
  for (const Sequence& s : sequences) {
    const auto values = interpreter.run(inputs_of(model, encoder, s), nullptr, nudged);
    for (size_t o = 0; o < outputs.size(); ++o) {
      const Tensor& value = values.at(encoder.outputs[o].name);
      const auto all = value.data<float>();
      const bool per_token = is_per_token(encoder, encoder.outputs[o].rows);
      const size_t tokens = s.ids.size() + s.padding;
      const size_t kept = per_token ? all.size() / tokens * s.ids.size() : all.size();
      outputs[o].insert(outputs[o].end(), all.begin(), all.begin() + static_cast<long>(kept));
    }
  }
  return outputs;
}

PackedBatch packed(const std::vector<Sequence>& sequences) {
  PackedBatch batch;
  for (const Sequence& s : sequences) batch.append(s.ids, s.types);
  return batch;
}

double largest_difference(const Outputs& a, const Outputs& b) {
  double largest = 0;
  require(a.size() == b.size(), "a different number of outputs");
  for (size_t o = 0; o < a.size(); ++o) {
    require(a[o].size() == b[o].size(), "outputs of different sizes");
    for (size_t i = 0; i < a[o].size(); ++i) {
      require(std::isfinite(a[o][i]) && std::isfinite(b[o][i]), "an output is not finite");
      largest = std::max(largest, std::fabs(double{a[o][i]} - b[o][i]));
    }
  }
  return largest;
}

// What the engine may change of every value, as a share: FP32 arithmetic of another order changes
// its last bits. In 16 bits, the graph's constants of GELU are rounded, while the engine has them
// exactly.
float freedom(DType type) {
  return type == DType::f32 ? 0x1p-19f : type == DType::f16 ? 0x1p-11f : 0x1p-8f;
}

// Quantized values that lie near a midpoint may take the neighboring code. What such changes do to
// the outputs, the interpreter tells itself: it runs with values changed that much, up and down.
void expect_agreement(const std::string& which, const Model& model, const Encoder& encoder,
                      const std::vector<Sequence>& sequences, float nudged_by) {
  constexpr double kFloatTolerance = 2e-5, kCodeTolerance = 5e-2;
  const Outputs expected = interpreted(model, encoder, sequences, 0);
  double moved = 0;
  for (const float nudge : {nudged_by, -nudged_by})
    moved = std::max(moved,
                     largest_difference(expected, interpreted(model, encoder, sequences, nudge)));
  Outputs found;
  for (EngineOutput& output :
       make_cpu_engine(encoder, ComputeType::automatic)->run(packed(sequences)))
    found.push_back(std::move(output.values));
  const double tolerance =
      std::max(kFloatTolerance + 4 * moved, moved > kFloatTolerance * 10 ? kCodeTolerance : 0);
  const double difference = largest_difference(expected, found);
  require(difference <= tolerance,
          fmt::format("engine and interpreter differ by {} on the {} model, expected at most {} "
                      "(values nudged by {} differ by {})",
                      difference, which, tolerance, nudged_by, moved));
}

Statistics statistics_of(const Encoder& encoder, const std::vector<Sequence>& sequences) {
  Statistics statistics;
  for (const Site& site : encoder.sites) statistics.sites.push_back({site.value, site.path, {}});
  make_cpu_engine(encoder, ComputeType::fp32)
      ->run(packed(sequences), [&](int site, std::span<const float> values, int64_t columns) {
        const auto i = static_cast<size_t>(site);
        const bool channels = has_channels(encoder.sites[i].role);
        statistics.sites[i].statistics.observe(values, channels ? columns : 0, 0);
      });
  std::erase_if(statistics.sites,
                [&](const SiteRecord& record) { return record.statistics.count() == 0; });
  return statistics;
}

// A recipe, changed at some Sites.
PlanRequest request_of(ByteSource& bytes, const std::vector<Site>& sites) {
  static const std::vector<std::string> patterns = {
      "*", "layer.*", "*/weight", "*/input", "*attention*", "*/query", "*/probabilities", "*ffn*"};
  static const std::vector<std::string> ways = {
      "float",        "e4m3",      "e5m2",    "int8",   "@tensor",          "@token",
      "@channel",     "@groups2",  "@block4", "@tile4", ":percentile:99.9", ":mse",
      "int8@channel", "e4m3@token"};
  const Recipe& recipe = bytes.one_of(all_recipes());
  PlanOptions options;
  options.quantize_head = bytes.flag();
  options.quantize_embeddings = bytes.flag();
  if (bytes.below(4) == 0) options.smooth_quant = SmoothQuant{};
  PlanRequest request = recipe_request(recipe, sites, options);
  for (size_t count = bytes.below(4); count > 0; --count) {
    const std::string choice = bytes.one_of(patterns) + "=" + bytes.one_of(ways);
    succeeds([&] { apply_choices(std::vector{parse_site_choice(choice)}, sites, request); });
  }
  return request;
}

// Ends the program if the model, which is that of an encoder, is not recognized.
Encoder recognized_again(const Model& model, std::string_view what) {
  auto found = recognize_encoder(model);
  if (const auto* no = std::get_if<NotAnEncoder>(&found))
    crash(fmt::format("{} encoder is not recognized: {}", what, no->reason));
  return std::get<Encoder>(std::move(found));
}

void check_quantized(ByteSource& bytes, Model model, const std::vector<Sequence>& sequences,
                     float nudged_by) {
  upgrade_opset(model);
  Encoder encoder = recognized_again(model, "an upgraded");
  find_types(model, encoder.sites);
  for (const Site& site : encoder.sites)
    if (site.quantization) return;
  const Statistics statistics = statistics_of(encoder, sequences);
  std::optional<Model> quantized;
  succeeds([&] {
    const PlanRequest request = request_of(bytes, encoder.sites);
    const Plan plan = make_plan(model, encoder.sites, &statistics, request);
    quantized = quantize_model(model, encoder.sites, plan);
  });
  if (!quantized) return;
  expect_agreement("converted", *quantized, recognized_again(*quantized, "a converted"), sequences,
                   nudged_by);
}

}  // namespace
}  // namespace fp8q::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fp8q;
  using namespace fp8q::test;
  ByteSource bytes(data, size);
  const Style style = style_of(bytes);
  const auto sequences = sequences_of(bytes, style);
  const Model model = tiny_encoder(style);
  Model opened = model;
  const float share = freedom(style.type);
  expand_attention(opened);
  succeeds([&] {
    const auto found = recognize_encoder(opened);
    const auto* encoder = std::get_if<Encoder>(&found);
    if (!encoder) return;  // some styles are those of other networks
    // In 16 bits, the operator Attention is defined by nodes that round to 16 bits.
    expect_agreement("float", style.type == DType::f32 ? model : opened, *encoder, sequences,
                     share);
    check_quantized(bytes, opened, sequences, share);
  });
  return 0;
}
