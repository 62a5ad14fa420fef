// Tells where the outputs of an Encoder come from, for engines that leave its hidden states and the
// results of its head's stages as rows of floats.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"

namespace fp8q {

// Describes one output: it consists of columns of the rows that some stage of the head leaves, or
// of columns of the hidden states.
struct OutputRows {
  std::string name;
  std::optional<size_t> head_stage;  // nullopt: hidden states
  bool per_token;                    // one row for every token, else one for every sequence
  size_t source_width;               // number of columns in a row of the source
  size_t column, width;              // these columns of a source row are the output

  // Copies `count` rows that begin at `source` to the output's rows that begin at `first`.
  void copy(const float* source, size_t count, size_t first, EngineOutput& to) const;
};

// Returns the OutputRows in the order of the graph's outputs.
std::vector<OutputRows> output_rows(const Encoder& encoder);

// Returns the outputs of a batch, with room for their values.
std::vector<EngineOutput> make_outputs(const std::vector<OutputRows>& rows,
                                       const PackedBatch& batch);

}  // namespace fp8q
