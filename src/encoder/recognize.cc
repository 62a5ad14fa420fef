#include "encoder/recognize.h"

#include <algorithm>

#include "encoder/assemble.h"
#include "encoder/parts.h"
#include "interpreter/operator.h"

namespace fp8q {
namespace {

using match::differ;

// Sums and norms of such graphs are rounded to 16 bits; the engine does not round them.
void refuse_half_precision(const match::View& view) {
  for (const auto& node : view.model().graph.nodes) {
    if (!is_op(&node, "MatMul") && !is_op(&node, "Gemm")) continue;
    if (view.is_known(node.outputs[0])) continue;
    const DType dtype = view.dtype(node.outputs[0]);
    if (dtype == DType::f16 || dtype == DType::bf16)
      differ("half-precision graph: {} computes in {}", describe(node), name(dtype));
    if (dtype != DType::f32) differ("{} computes in {}", describe(node), name(dtype));
  }
}

Encoder match_encoder(const match::View& view) {
  refuse_half_precision(view);
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

}  // namespace

std::variant<Encoder, NotAnEncoder> recognize_encoder(const Model& model) {
  require_supported(model);
  try {
    return match_encoder(match::View(model));
  } catch (const match::Mismatch& mismatch) {
    return NotAnEncoder{mismatch.reason};
  } catch (const Error& error) {
    // The graph breaks a rule somewhere, or only for the values that were tried.
    return NotAnEncoder{error.what()};
  }
}

}  // namespace fp8q
