#include "fp8q/inspect.h"

#include "base/error.h"
#include "encoder/output_meaning.h"
#include "encoder/summary.h"
#include "graph/site_names.h"
#include "interpreter/operator.h"
#include "quantize/detect.h"
#include "quantize/manifest.h"
#include "session/bundle.h"
#include "session/make_engine.h"
#include "session/outputs.h"
#include "session/tokenizer.h"

namespace fp8q {
namespace {

std::string shown(const ValueInfo& value) {
  std::string text = fmt::format("{} {}", value.name, name(value.dtype));
  if (!value.has_shape) return text;
  std::vector<std::string> dims;
  for (const Dim& d : value.shape)
    dims.push_back(d.value >= 0          ? std::to_string(d.value)
                   : d.parameter.empty() ? "?"
                                         : d.parameter);
  return fmt::format("{} [{}]", text, fmt::join(dims, ", "));
}

// Counts the tensors stored in the file: initializers, and the values of Constant nodes.
void count_constants(const Graph& graph, InspectResult& result) {
  const auto add = [&](const Tensor& tensor) {
    result.bytes_by_type[std::string(name(tensor.dtype()))] += tensor.nbytes();
    const bool number = tensor.dtype() != DType::i64 && tensor.dtype() != DType::i32 &&
                        tensor.dtype() != DType::boolean;
    // Scalars are scales and epsilons, not parameters.
    if (number && tensor.rank() > 0) result.parameters += static_cast<uint64_t>(tensor.size());
  };
  for (const auto& [name, tensor] : graph.initializers) add(tensor);
  for (const Node& node : graph.nodes)
    if (const Tensor* tensor = constant_tensor(node)) add(*tensor);
}

void describe_encoder(const Encoder& encoder, InspectResult& result) {
  const EncoderSummary s = summarize(encoder);
  const auto add = [&](const char* key, const std::string& value) {
    result.architecture.emplace_back(key, value);
  };
  result.parameters = static_cast<uint64_t>(s.parameters);
  add("architecture", fmt::format("{} layers, hidden {}, {} heads of {}, FFN {} ({})", s.layers,
                                  s.hidden, s.heads, s.head_size, s.ffn, s.activation));
  add("embeddings", fmt::format("{} words, {} positions, {} token types", s.vocabulary, s.positions,
                                s.token_types));
  add("head", s.head);
  for (const EncoderOutput& output : encoder.outputs)
    result.output_meanings.push_back(describe(encoder, output));
}

std::string tokenizer_facts(const ModelLocation& location, const Bundle& bundle,
                            std::vector<std::string>& notes) {
  try {
    return tokenizer_for(bundle, {location.tokenizer, location.config}, notes).describe();
  } catch (const Error& e) {
    // A model can be inspected without its tokenizer. The result says what is missing.
    if (location.tokenizer) throw;
    notes.push_back(e.what());
    return "none";
  }
}

std::string engine_facts(const Bundle& bundle, std::vector<std::string>& notes) {
  try {
    return make_engine(bundle, {}, notes)->description();
  } catch (const Error& e) {
    // A model that nothing runs here, or that does not fit into memory, can be inspected, and
    // perhaps converted.
    if (e.code() != ErrorCode::unsupported && e.code() != ErrorCode::limit) throw;
    notes.push_back(e.what());
    return "none";
  }
}

void describe_manifest(const Manifest& m, InspectResult& result) {
  result.manifest.emplace_back("converted by", "fp8q " + m.source.version);
  result.manifest.emplace_back("recipe", m.recipe);
  result.manifest.emplace_back(
      "source", fmt::format("{} (sha256 {})", m.source.model_name, m.source.model_sha256));
  result.manifest.emplace_back("statistics", m.source.statistics_sha256.empty()
                                                 ? "none"
                                                 : "sha256 " + m.source.statistics_sha256);
}

}  // namespace

CallFiles files_of(const ModelLocation& location) {
  return {files_of_model(location.model, {location.tokenizer, location.config}), {}};
}

InspectResult inspect(const ModelLocation& location) {
  InspectResult result;
  const Bundle bundle = open_model(location.model);
  const Model& model = bundle.model;
  result.file = bundle.file;
  result.producer = model.producer_name;
  if (!model.producer_version.empty()) result.producer += " " + model.producer_version;
  result.ir_version = model.ir_version;
  result.opset = model.opset();
  for (const auto& input : model.graph.inputs) result.inputs.push_back(shown(input));
  for (const auto& output : model.graph.outputs) result.outputs.push_back(shown(output));
  for (const Node& node : model.graph.nodes)
    ++result.operators[node.domain.empty() ? node.op_type
                                           : fmt::format("{}::{}", node.domain, node.op_type)];
  count_constants(model.graph, result);
  result.encoder = bundle.encoder.has_value();
  result.not_encoder_reason = bundle.not_encoder_reason;
  if (bundle.encoder) describe_encoder(*bundle.encoder, result);
  const auto found = find_quantization(model);
  result.quantization = !found                  ? "none"
                        : found->recipe.empty() ? found->description
                                                : found->recipe;
  if (const auto manifest = read_manifest(model)) describe_manifest(*manifest, result);
  for (const Site& site : bundle.sites)
    result.sites.push_back(
        {site.value, site.path, std::string(name_of(site.kind)), format_name(site)});
  const ModelConfig config =
      find_model_config(bundle.folder, {location.tokenizer, location.config});
  result.labels = config.id2label;
  if (!config.id2label_problem.empty()) result.notes.push_back(config.id2label_problem);
  result.tokenizer = tokenizer_facts(location, bundle, result.notes);
  result.engine = engine_facts(bundle, result.notes);
  return result;
}

std::vector<std::string> operator_list() {
  std::vector<std::string> names;
  for (const Operator& op : all_operators()) {
    std::string name =
        op.domain.empty() ? std::string(op.name) : fmt::format("{}::{}", op.domain, op.name);
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace fp8q
