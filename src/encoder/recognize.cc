#include "encoder/recognize.h"

#include <algorithm>

#include "encoder/assemble.h"
#include "encoder/parts.h"
#include "encoder/widen.h"
#include "interpreter/operator.h"

namespace fp8q {
namespace {

using match::differ;

// Returns whether a node computes numbers of 16 bits. Stored rows and weights may have 16 bits in a
// graph that computes in FP32: they are only moved and cast.
bool computes_in_half(const match::View& view) {
  return std::ranges::any_of(view.model().graph.nodes, [&](const Node& node) {
    const std::string& result = node.outputs[0];
    if (result.empty() || view.is_known(result) || match::is_movement(node) || is_op(&node, "Cast"))
      return false;
    return is_half(view.dtype(result));
  });
}

void refuse_other_types(const match::View& view) {
  for (const auto& node : view.model().graph.nodes) {
    if (!is_op(&node, "MatMul") && !is_op(&node, "Gemm")) continue;
    if (view.is_known(node.outputs[0])) continue;
    const DType dtype = view.dtype(node.outputs[0]);
    if (dtype != DType::f32) differ("{} computes in {}", describe(node), name(dtype));
  }
}

Encoder match_encoder(const match::View& view) {
  refuse_other_types(view);
  const match::HeadPart head = match::match_head(view);

  std::vector<match::LayerPart> layers;  // found from the last to the first
  std::string value = head.hidden;
  while (auto layer = match::find_layer(view, value)) {
    value = layer->input;
    layers.push_back(std::move(*layer));
  }
  if (layers.empty()) differ("{} is not the end of a transformer layer", view.where(value));
  std::ranges::reverse(layers);

  const match::EmbeddingsPart embeddings = match::match_embeddings(view, value);
  match::InputRoles roles = embeddings.inputs;
  std::optional<int32_t> masked_id;
  for (auto& layer : layers) {
    const match::ScoresPart scores = match::match_scores(view, layer.attention, roles);
    layer.attention.attention.scale *= scores.scale;
    if (&layer != &layers.front() && scores.masked_id != masked_id)
      differ("layers mask different tokens");
    masked_id = scores.masked_id;
  }
  for (const auto& input : head.masks) match::note_mask(input, roles);
  Encoder encoder = match::assemble(view, layers, embeddings, head, roles);
  encoder.masked_id = masked_id;
  return encoder;
}

// The engine computes in FP32 what a model in 16 bits stands for. It does not round sums and norms
// to 16 bits.
Encoder match_any_precision(const Model& model) {
  const match::View view(model);
  if (!computes_in_half(view)) return match_encoder(view);
  const WideModel wide = widened(model);
  Encoder encoder = match_encoder(match::View(wide.model, true));
  move_sites_back(wide, encoder.sites);
  return encoder;
}

}  // namespace

std::variant<Encoder, NotAnEncoder> recognize_encoder(const Model& model) {
  require_supported(model);
  try {
    return match_any_precision(model);
  } catch (const match::Mismatch& mismatch) {
    return NotAnEncoder{mismatch.reason};
  } catch (const Error& error) {
    if (error.code() == ErrorCode::limit) throw;  // it would cost as much in any other way
    // The graph breaks a rule somewhere, or only for the values that were tried.
    return NotAnEncoder{error.what()};
  }
}

}  // namespace fp8q
