#include "encoder/random_encoder.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/threads.h"

namespace fp8q {
namespace {

constexpr std::array kShapes = {
#define FP8Q_RANDOM_SHAPE(name, layers, hidden, heads, inner, vocabulary, positions) \
  RandomShape{name, layers, hidden, heads, inner, vocabulary, positions},
#include "encoder/random_shapes.def"
#undef FP8Q_RANDOM_SHAPE
};

constexpr float kSpread = 0.02f;      // BERT's initializer_range
constexpr float kNormSpread = 0.05f;  // spread of gammas and betas
constexpr float kOutlier = 6.0f;      // gamma of the outlier channels
constexpr int64_t kOutliers = 3;
constexpr float kEpsilon = 1e-12f;

// The generator is SplitMix64 (Steele, Lea, Flood 2014): the n-th output of a stream does not need
// the earlier ones.
constexpr uint64_t kGamma = 0x9E3779B97F4A7C15u;
constexpr uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// Returns a nearly normal number with mean 0 and variance 1: the sum of four 16-bit parts, each
// uniform with the variance (2^32 - 1) / 12. It reaches 3.46 standard deviations. The arithmetic is
// exact except for one product.
float normal(uint64_t bits) {
  const auto part = [&](int i) { return static_cast<int32_t>(bits >> (16 * i) & 0xFFFF); };
  const int32_t sum = part(0) + part(1) + part(2) + part(3) - 2 * 0xFFFF;
  constexpr float kDeviation = 37837.23f;  // sqrt(4 (2^32 - 1) / 12)
  return static_cast<float>(sum) * (1 / kDeviation);
}

class Generator {
 public:
  Generator(const RandomShape& shape, uint64_t seed) : shape_(shape), stream_(mix(seed + kGamma)) {}
  Encoder encoder();

 private:
  Tensor random(Shape shape, float spread, float mean = 0);
  LayerNorm norm(const std::string& path, SiteRole role);
  EmbeddingTable table(int64_t rows) { return {random({rows, shape_.hidden}, kSpread), {}}; }
  int site(const std::string& path, SiteKind kind, SiteRole role);
  int input(const std::string& path, SiteRole role) {
    return site(path + "/input", SiteKind::activation, role);
  }
  Linear linear(const std::string& path, SiteRole role, int64_t in, int64_t out, int input_site);
  EncoderLayer layer();

  RandomShape shape_;
  uint64_t stream_;
  std::vector<Site> sites_;
  int layer_ = -1;
};

// Every tensor is a stream of its own, and every element has its place in the stream.
Tensor Generator::random(Shape shape, float spread, float mean) {
  Tensor tensor(DType::f32, std::move(shape));
  const auto values = tensor.mutable_data<float>();
  const uint64_t start = stream_ = mix(stream_ + kGamma);
  constexpr size_t kBlock = 1 << 16;
  parallel_for((values.size() + kBlock - 1) / kBlock, [&](size_t block) {
    const size_t end = std::min((block + 1) * kBlock, values.size());
    for (size_t i = block * kBlock; i < end; ++i)
      values[i] = mean + spread * normal(mix(start + i * kGamma));
  });
  return tensor;
}

LayerNorm Generator::norm(const std::string& path, SiteRole role) {
  LayerNorm n{random({shape_.hidden}, kNormSpread, 1), random({shape_.hidden}, kNormSpread),
              kEpsilon, site(path, SiteKind::activation, role)};
  // The channels are the same everywhere, because the residual stream carries them through the
  // layers.
  for (int64_t i = 0; i < kOutliers; ++i)
    n.gamma
        .mutable_data<float>()[static_cast<size_t>((2 * i + 1) * shape_.hidden / (2 * kOutliers))] =
        kOutlier;
  return n;
}

int Generator::site(const std::string& path, SiteKind kind, SiteRole role) {
  Site s;
  s.path = layer_ < 0 ? path : fmt::format("layer.{}/{}", layer_, path);
  s.value = s.path;
  s.kind = kind;
  s.role = role;
  s.layer = layer_;
  if (kind == SiteKind::weight) s.channel_axis = 1;
  sites_.push_back(std::move(s));
  return static_cast<int>(sites_.size()) - 1;
}

Linear Generator::linear(const std::string& path, SiteRole role, int64_t in, int64_t out,
                         int input_site) {
  Linear l;
  l.weight = random({in, out}, kSpread);
  l.bias = random({out}, kSpread);
  l.in = in;
  l.out = out;
  l.input_site = input_site;
  l.weight_site = site(path + "/weight", SiteKind::weight, role);
  return l;
}

EncoderLayer Generator::layer() {
  const int64_t h = shape_.hidden;
  const int64_t head_size = h / shape_.heads;
  EncoderLayer l;
  const int x = site("attention.input", SiteKind::activation, SiteRole::attention_input);
  l.query = linear("attention.query", SiteRole::attention_input, h, h, x);
  l.key = linear("attention.key", SiteRole::attention_input, h, h, x);
  l.value = linear("attention.value", SiteRole::attention_input, h, h, x);
  const auto value = [&](const char* path, SiteRole role) {
    return site(path, SiteKind::activation, role);
  };
  l.attention = {.heads = shape_.heads,
                 .head_size = head_size,
                 .scale = 1.0f / std::sqrt(static_cast<float>(head_size)),
                 .query_site = value("attention/query", SiteRole::query),
                 .key_site = value("attention/key", SiteRole::key),
                 .probabilities_site = value("attention/probabilities", SiteRole::probabilities),
                 .value_site = value("attention/value", SiteRole::value),
                 .scores_site = value("attention/scores", SiteRole::scores)};
  const int context = input("attention.output", SiteRole::attention_output);
  l.attention_output = linear("attention.output", SiteRole::attention_output, h, h, context);
  l.attention_output.result_site = value("attention.output/result", SiteRole::attention_result);
  l.attention_norm = norm("attention.residual", SiteRole::attention_residual);
  const int middle = input("ffn.intermediate", SiteRole::intermediate);
  l.intermediate = linear("ffn.intermediate", SiteRole::intermediate, h, shape_.inner, middle);
  l.intermediate.result_site = value("ffn.intermediate/result", SiteRole::intermediate_result);
  const int inner = input("ffn.output", SiteRole::ffn_output);
  l.output = linear("ffn.output", SiteRole::ffn_output, shape_.inner, h, inner);
  l.output.result_site = value("ffn.output/result", SiteRole::ffn_result);
  l.output_norm = norm("ffn.residual", SiteRole::ffn_residual);
  return l;
}

Encoder Generator::encoder() {
  const int64_t h = shape_.hidden;
  FP8Q_ASSERT(shape_.heads > 0 && h % shape_.heads == 0);
  Encoder e;
  e.hidden = h;
  e.max_positions = shape_.positions;
  e.ids_input = "input_ids";
  e.mask_input = "attention_mask";
  e.token_type_input = "token_type_ids";
  e.embeddings.word = table(shape_.vocabulary);
  e.embeddings.position = table(shape_.positions);
  e.embeddings.token_type = table(2);
  e.embeddings.norm = norm("embeddings.sum", SiteRole::embeddings_sum);
  for (layer_ = 0; layer_ < shape_.layers; ++layer_) e.layers.push_back(layer());
  layer_ = -1;
  const auto stage = [&](const char* name, HeadRows rows, int64_t out, Activation activation) {
    const int x = input(name, SiteRole::head);
    e.head.push_back({name, std::move(rows), linear(name, SiteRole::head, h, out, x), activation});
    e.head.back().linear.result_site =
        site(std::string(name) + "/result", SiteKind::activation, SiteRole::head_result);
  };
  stage("pooler", {HeadRows::kHiddenStates, {RowFunction::first_token}}, h, Activation::tanh);
  stage("classifier", {0, {}}, 2, Activation::none);
  e.outputs = {{"logits", {1, {}}, {}}};
  e.sites = std::move(sites_);
  return e;
}

}  // namespace

std::span<const RandomShape> random_shapes() { return kShapes; }

const RandomShape* random_shape_named(std::string_view name) {
  const auto at = std::ranges::find(kShapes, name, &RandomShape::name);
  return at == kShapes.end() ? nullptr : &*at;
}

Encoder random_encoder(const RandomShape& shape, uint64_t seed) {
  return Generator(shape, seed).encoder();
}

}  // namespace fp8q
