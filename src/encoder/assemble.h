// From the parts found in a graph to the Encoder that describes it.
#pragma once

#include <span>

#include "encoder/parts.h"

namespace fp8q::match {

// `layers` from the first to the last.
Encoder assemble(const View& view, std::span<const LayerPart> layers,
                 const EmbeddingsPart& embeddings, const HeadPart& head, const InputRoles& roles);

}  // namespace fp8q::match
