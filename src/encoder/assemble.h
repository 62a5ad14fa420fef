// Builds the Encoder that describes a graph from the parts found in the graph.
#pragma once

#include <span>

#include "encoder/parts.h"

namespace fp8q::match {

// `layers` are ordered from the first to the last.
Encoder assemble(const View& view, std::span<const LayerPart> layers,
                 const EmbeddingsPart& embeddings, const HeadPart& head, const InputRoles& roles);

}  // namespace fp8q::match
