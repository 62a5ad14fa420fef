#include "tests/unit/engine/tiny_encoder.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace fp8q::test {
namespace {

class Builder {
 public:
  explicit Builder(const TinyOptions& options) : o_(options) {}
  Encoder build();

 private:
  Tensor random(Shape shape, float spread, float mean = 0) {
    Tensor t(DType::f32, std::move(shape));
    std::normal_distribution<float> normal(mean, spread);
    for (float& v : t.mutable_data<float>()) v = normal(random_);
    return t;
  }
  int site(const std::string& path, SiteKind kind, SiteRole role,
           std::optional<Quantization> quantization) {
    Site s;
    s.path = path;
    s.kind = kind;
    s.role = role;
    s.quantization = std::move(quantization);
    sites_.push_back(std::move(s));
    return static_cast<int>(sites_.size()) - 1;
  }
  int activation_site(const std::string& path, SiteRole role, std::optional<Format> format,
                      float absmax) {
    const bool operand = role == SiteRole::query || role == SiteRole::key ||
                         role == SiteRole::value || role == SiteRole::probabilities;
    if (!format || (o_.per_token && operand))
      return site(path, SiteKind::activation, role, std::nullopt);
    Quantization q{*format, Tensor::scalar(scale_for(*format, absmax)), {}};
    q.per_token = o_.per_token;
    if (o_.factors && !operand)
      for (int64_t c = 0; c < (role == SiteRole::ffn_output ? o_.inner : o_.hidden); ++c)
        q.factors.push_back(std::exp2(static_cast<float>((c + std::lround(absmax)) % 5 - 2)));
    return site(path, SiteKind::activation, role, std::move(q));
  }
  Tensor encode_rows(const Tensor& w, Format format, const std::vector<float>& scales, int axis);
  int point(const std::string& path, SiteRole role, float absmax) {
    return activation_site(path, role, o_.points, absmax);
  }
  LayerNorm norm(int64_t width, int input_site) {
    return {random({width}, 0.1f, 1), random({width}, 0.1f), 1e-12f, input_site};
  }
  EmbeddingTable table(int64_t rows);
  Linear linear(const std::string& path, int64_t in, int64_t out, int input_site,
                std::optional<Format> format);
  EncoderLayer layer(const std::string& path);

  TinyOptions o_;
  std::mt19937 random_{5};
  std::vector<Site> sites_;
};

// Returns codes of a matrix with a scale per row (axis 0) or column (axis 1), or one for all.
Tensor Builder::encode_rows(const Tensor& w, Format format, const std::vector<float>& scales,
                            int axis) {
  Tensor codes(dtype_of_format(format), w.shape());
  auto* to = reinterpret_cast<uint8_t*>(codes.mutable_bytes());
  const auto from = w.data<float>();
  const auto columns = static_cast<size_t>(w.dim(1));
  for (size_t i = 0; i < from.size(); ++i) {
    const size_t at = axis == 0 ? i / columns : i % columns;
    to[i] = encode(format, from[i], scales.size() == 1 ? scales[0] : scales[at]);
  }
  return codes;
}

EmbeddingTable Builder::table(int64_t rows) {
  const Tensor values = random({rows, o_.hidden}, 1.0f);
  if (o_.table_type == DType::f32 || o_.table_type == DType::f16)
    return {values.to(o_.table_type), {}};
  const Format format = o_.table_type == DType::i8 ? Format::int8 : Format::e4m3;
  std::vector<float> scales(static_cast<size_t>(rows));
  for (size_t i = 0; i < scales.size(); ++i)
    scales[i] = scale_for(format, 3.0f + 0.1f * static_cast<float>(i));
  return {encode_rows(values, format, scales, 0), Tensor::of<float>({rows}, scales)};
}

Linear Builder::linear(const std::string& path, int64_t in, int64_t out, int input_site,
                       std::optional<Format> format) {
  Linear l;
  l.in = in;
  l.out = out;
  l.transposed = o_.transposed;
  l.bias = random({out}, 0.1f);
  l.input_site = input_site;
  const Shape shape = o_.transposed ? Shape{out, in} : Shape{in, out};
  l.weight = random(shape, 1.0f / std::sqrt(static_cast<float>(in)));
  std::optional<Quantization> q;
  if (format) {
    const int64_t axis = o_.transposed ? 0 : 1;
    std::vector<float> scales(o_.channel_scales ? static_cast<size_t>(out) : 1);
    for (size_t i = 0; i < scales.size(); ++i)
      scales[i] = scale_for(*format, 0.5f + 0.01f * static_cast<float>(i % 30));
    l.weight = encode_rows(l.weight, *format, scales, static_cast<int>(axis));
    q = Quantization{*format, Tensor::of<float>({static_cast<int64_t>(scales.size())}, scales), {}};
    if (o_.channel_scales) q->axis = axis;
  }
  l.weight_site = site(path + "/weight", SiteKind::weight, SiteRole::other, std::move(q));
  return l;
}

EncoderLayer Builder::layer(const std::string& path) {
  const auto input = [&](const char* what, SiteRole role, float absmax) {
    return activation_site(path + what, role, o_.activations, absmax);
  };
  EncoderLayer l;
  const int64_t h = o_.hidden;
  const int x = input("/attention.qkv/input", SiteRole::attention_input, 4.0f);
  const int own = o_.separate_query_scale
                      ? input("/attention.query/input", SiteRole::attention_input, 5.0f)
                      : x;
  l.query = linear(path + "/attention.query", h, h, own, o_.weights);
  l.key = linear(path + "/attention.key", h, h, x, o_.weights);
  l.value = linear(path + "/attention.value", h, h, x, o_.weights);
  l.attention.heads = o_.heads;
  l.attention.head_size = h / o_.heads;
  l.attention.scale = 1.0f / std::sqrt(static_cast<float>(h / o_.heads)) / o_.query_scale;
  l.attention.query_scale = o_.query_scale;
  l.attention.query_site = input("/attention/q", SiteRole::query, 4.0f);
  l.attention.key_site = input("/attention/k", SiteRole::key, 4.0f);
  l.attention.probabilities_site = input("/attention/p", SiteRole::probabilities, 1.0f);
  l.attention.value_site = input("/attention/v", SiteRole::value, 4.0f);
  l.attention.scores_site = point(path + "/attention/scores", SiteRole::scores, 20.0f);
  l.attention_residual_rounded = l.output_residual_rounded = o_.activations && o_.points;
  l.attention_output =
      linear(path + "/attention.output", h, h,
             input("/attention.output/input", SiteRole::attention_output, 3.0f), o_.weights);
  l.attention_output.result_site =
      point(path + "/attention.output/result", SiteRole::attention_result, 3.0f);
  l.attention_norm =
      norm(h, point(path + "/attention.residual", SiteRole::attention_residual, 5.0f));
  l.intermediate =
      linear(path + "/ffn.intermediate", h, o_.inner,
             input("/ffn.intermediate/input", SiteRole::intermediate, 4.0f), o_.weights);
  l.intermediate.result_site =
      point(path + "/ffn.intermediate/result", SiteRole::intermediate_result, 4.0f);
  l.activation = o_.activation;
  l.output = linear(path + "/ffn.output", o_.inner, h,
                    input("/ffn.output/input", SiteRole::ffn_output, 4.0f), o_.weights);
  l.output.result_site = point(path + "/ffn.output/result", SiteRole::ffn_result, 3.0f);
  l.output_norm = norm(h, point(path + "/ffn.residual", SiteRole::ffn_residual, 4.0f));
  return l;
}

Encoder Builder::build() {
  Encoder e;
  e.hidden = o_.hidden;
  e.max_positions = kTinyPositions;
  e.ids_input = "input_ids";
  e.token_type_input = "token_type_ids";
  e.embeddings.word = table(kTinyVocabulary);
  e.embeddings.position = table(kTinyPositions + 2);
  e.embeddings.token_type = table(2);
  e.embeddings.position_rule.first = 2;
  e.embeddings.norm = norm(o_.hidden, point("embeddings.sum", SiteRole::embeddings_sum, 5.0f));
  for (int64_t i = 0; i < o_.layers; ++i) e.layers.push_back(layer("layer." + std::to_string(i)));
  e.embeddings.position_rule.padding_id = o_.padding_id;
  e.outputs.push_back({"last_hidden_state", {}, {}});
  if (o_.head != TinyHead::none) {
    HeadRows rows;
    if (o_.head == TinyHead::first_token) rows.functions = {RowFunction::first_token};
    if (o_.head == TinyHead::mean) rows.functions = {RowFunction::mean};
    const int pooler = activation_site("pooler/input", SiteRole::head, {}, 0);
    e.head.push_back(
        {"pooler", rows, linear("pooler", o_.hidden, o_.hidden, pooler, {}), Activation::tanh});
    const int classifier = activation_site("classifier/input", SiteRole::head, {}, 0);
    e.head.push_back({"classifier",
                      {0, {}},
                      linear("classifier", o_.hidden, 2, classifier, {}),
                      Activation::none});
    e.head[0].linear.result_site = point("pooler/result", SiteRole::head_result, 2.0f);
    e.head[1].linear.result_site = point("classifier/result", SiteRole::head_result, 2.0f);
    e.outputs.push_back({"logits", {1, {}}, {}});
    e.outputs.push_back({"second", {1, {}}, 1});
    if (!o_.answer.empty()) e.outputs.push_back({"answer", {1, o_.answer}, {}});
  }
  if (!o_.pooled.empty()) e.outputs.push_back({"pooled", {HeadRows::kHiddenStates, o_.pooled}, {}});
  e.sites = sites_;
  return e;
}

}  // namespace

Encoder tiny_encoder(const TinyOptions& options) { return Builder(options).build(); }

PackedBatch tiny_batch(const std::vector<size_t>& lengths, unsigned seed) {
  std::mt19937 random(seed);
  PackedBatch batch;
  for (const size_t n : lengths) {
    std::vector<int32_t> ids(n), types(n);
    for (size_t i = 0; i < n; ++i) {
      ids[i] = static_cast<int32_t>(random() % kTinyVocabulary);
      types[i] = i > n / 2 ? 1 : 0;
    }
    batch.append(ids, types);
  }
  return batch;
}

}  // namespace fp8q::test
