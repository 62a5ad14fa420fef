#include "encoder/assemble.h"

#include <algorithm>

namespace fp8q::match {
namespace {

// Adds the Sites of one layer (or of the parts outside layers) to an Encoder under a path.
class SiteWriter {
 public:
  SiteWriter(std::vector<Site>& sites, std::string prefix, int layer)
      : sites_(sites), prefix_(std::move(prefix)), layer_(layer) {}

  int activation(const std::string& path, SiteRole role, const Operand& operand) {
    return add(path, SiteKind::activation, role, operand);
  }

  int weight(const std::string& path, SiteRole role, const LinearPart& part, const View& view) {
    const int at = add(path, SiteKind::weight, role, part.weight);
    const Node& node = view.node(part.node);
    const bool rows = node.op_type == "Gemm" && int_attribute(node, "transB", 0) != 0;
    sites_[static_cast<size_t>(at)].channel_axis = rows ? 0 : 1;
    return at;
  }

  // Adds a value that enters no product; its uses are all slots that read it.
  int point(const std::string& path, SiteRole role, const Point& point, const View& view) {
    Operand operand;
    operand.value = point.value;
    operand.quantization = point.quantization;
    const int at = add(path, SiteKind::activation, role, operand);
    const auto readers = view.index().uses(point.reading);
    sites_[static_cast<size_t>(at)].uses.assign(readers.begin(), readers.end());
    return at;
  }

  LayerNorm norm(const std::string& path, SiteRole role, const NormPart& part, const View& view) {
    LayerNorm norm = part.norm;
    norm.input_site = point(path, role, part.input, view);
    return norm;
  }

  // Adds a linear layer with its input and weight, "<name>/input" and "<name>/weight".
  Linear linear(const std::string& name, SiteRole role, const LinearPart& part, const View& view) {
    Linear linear = part.linear;
    linear.input_site = activation(name + "/input", role, part.input);
    linear.weight_site = weight(name + "/weight", role, part, view);
    return linear;
  }

 private:
  int add(const std::string& path, SiteKind kind, SiteRole role, const Operand& operand) {
    Site site;
    site.path = prefix_ + path;
    site.value = operand.value;
    site.kind = kind;
    site.role = role;
    site.layer = layer_;
    site.uses = {operand.use};
    site.quantization = operand.quantization;
    sites_.push_back(std::move(site));
    return static_cast<int>(sites_.size()) - 1;
  }

  std::vector<Site>& sites_;
  std::string prefix_;
  int layer_;
};

bool same_quantization(const Operand& a, const Operand& b) {
  if (a.quantization.has_value() != b.quantization.has_value()) return false;
  return !a.quantization || same(*a.quantization, *b.quantization);
}

// Query, key and value read one Site; their operands may differ in the Q/DQ nodes only.
int shared_input(SiteWriter& writer, std::vector<Site>& sites, const AttentionPart& part,
                 const View& view) {
  const int at = writer.activation("attention.input", SiteRole::attention_input, part.query.input);
  for (const auto* other : {&part.key, &part.value}) {
    if (!same_quantization(part.query.input, other->input))
      differ("query, key and value of {} have differently quantized inputs",
             view.where(part.scores.value));
    if (view.shape(part.query.input.value) != view.shape(other->input.value))
      differ("query, key and value of {} have differently shaped inputs",
             view.where(part.scores.value));
    sites[static_cast<size_t>(at)].uses.push_back(other->input.use);
  }
  return at;
}

EncoderLayer assemble_layer(const View& view, std::vector<Site>& sites, const LayerPart& part,
                            int number) {
  SiteWriter writer(sites, fmt::format("layer.{}/", number), number);
  const AttentionPart& found = part.attention;
  EncoderLayer layer;
  const int input = shared_input(writer, sites, found, view);
  const auto project = [&](const std::string& name, const LinearPart& projection) {
    Linear linear = projection.linear;
    linear.input_site = input;
    linear.weight_site =
        writer.weight(name + "/weight", SiteRole::attention_input, projection, view);
    return linear;
  };
  layer.query = project("attention.query", found.query);
  layer.key = project("attention.key", found.key);
  layer.value = project("attention.value", found.value);

  layer.attention = found.attention;
  layer.attention.query_site =
      writer.activation("attention/query", SiteRole::query, found.query_operand);
  layer.attention.key_site = writer.activation("attention/key", SiteRole::key, found.key_operand);
  layer.attention.probabilities_site =
      writer.activation("attention/probabilities", SiteRole::probabilities, found.probabilities);
  layer.attention.value_site =
      writer.activation("attention/value", SiteRole::value, found.value_operand);

  layer.attention.scores_site =
      writer.point("attention/scores", SiteRole::scores, found.scores, view);

  const ResidualPart &attention = part.attention_residual, &output = part.output_residual;
  layer.attention_output =
      writer.linear("attention.output", SiteRole::attention_output, attention.linear, view);
  layer.attention_output.result_site = writer.point(
      "attention.output/result", SiteRole::attention_result, attention.linear.result, view);
  layer.attention_residual_rounded = attention.quantization.has_value();
  layer.attention_norm =
      writer.norm("attention.residual", SiteRole::attention_residual, attention.norm, view);
  const LinearPart& intermediate = part.intermediate.linear;
  layer.intermediate =
      writer.linear("ffn.intermediate", SiteRole::intermediate, intermediate, view);
  layer.intermediate.result_site = writer.point(
      "ffn.intermediate/result", SiteRole::intermediate_result, intermediate.result, view);
  layer.activation = part.intermediate.activation;
  layer.output = writer.linear("ffn.output", SiteRole::ffn_output, output.linear, view);
  layer.output.result_site =
      writer.point("ffn.output/result", SiteRole::ffn_result, output.linear.result, view);
  layer.output_residual_rounded = output.quantization.has_value();
  layer.output_norm = writer.norm("ffn.residual", SiteRole::ffn_residual, output.norm, view);
  sites[static_cast<size_t>(input)].residual = attention.other;
  sites[static_cast<size_t>(layer.intermediate.input_site)].residual = output.other;
  return layer;
}

// The last stage classifies; earlier stages pool.
std::string stage_name(size_t index, size_t count, Activation activation) {
  if (index + 1 == count && activation == Activation::none) return "classifier";
  return index == 0 ? "pooler" : fmt::format("head.{}", index);
}

void check_widths(const Encoder& encoder) {
  const int64_t hidden = encoder.hidden;
  const auto& first = encoder.embeddings;
  const int64_t embedded = first.projection ? first.projection->out : first.word.rows.dim(1);
  if (embedded != hidden)
    differ("embeddings of width {} enter layers of width {}", embedded, hidden);
  for (const auto& layer : encoder.layers)
    if (layer.query.in != hidden || layer.output_norm.gamma.size() != hidden ||
        layer.attention_norm.gamma.size() != hidden)
      differ("layers differ in width: {} and {}", layer.query.in, hidden);
}

}  // namespace

Encoder assemble(const View& view, std::span<const LayerPart> layers,
                 const EmbeddingsPart& embeddings, const HeadPart& head, const InputRoles& roles) {
  Encoder encoder;
  encoder.embeddings = embeddings.embeddings;
  SiteWriter outside(encoder.sites, "", -1);
  encoder.embeddings.norm.input_site =
      outside.point("embeddings.sum", SiteRole::embeddings_sum, embeddings.sum, view);
  if (embeddings.projection)
    encoder.embeddings.projection =
        outside.linear("embedding_projection", SiteRole::other, *embeddings.projection, view);
  for (const auto& layer : layers)
    encoder.layers.push_back(
        assemble_layer(view, encoder.sites, layer, static_cast<int>(encoder.layers.size())));
  for (size_t i = 0; i < head.stages.size(); ++i) {
    const LinearPart& linear = head.stages[i].linear.linear;
    const Activation activation = head.stages[i].linear.activation;
    const std::string name = stage_name(i, head.stages.size(), activation);
    encoder.head.push_back({name, head.stages[i].input,
                            outside.linear(name, SiteRole::head, linear, view), activation});
    // Otherwise the result is the Site of another stage's input.
    const HeadRows result{static_cast<int>(i), {}};
    const bool entered =
        std::ranges::find(head.stages, result, &HeadStagePart::input) != head.stages.end();
    if (activation != Activation::none || !entered)
      encoder.head.back().linear.result_site =
          outside.point(name + "/result", SiteRole::head_result, linear.result, view);
  }
  encoder.outputs = head.outputs;
  encoder.ids_input = roles.ids;
  encoder.mask_input = roles.mask;
  encoder.token_type_input = roles.token_type;
  encoder.position_input = roles.position;
  encoder.hidden = encoder.layers.front().output_norm.gamma.size();
  encoder.max_positions =
      encoder.embeddings.position.rows.dim(0) - encoder.embeddings.position_rule.first;
  check_widths(encoder);
  return encoder;
}

}  // namespace fp8q::match
