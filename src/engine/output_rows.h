// Where the outputs of an Encoder come from, for engines that leave its hidden states and the
// results of its head's stages as rows of floats.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"

namespace fp8q {

// One output: columns of the rows that some stage of the head leaves, or of the hidden states.
struct OutputRows {
  std::string name;
  std::optional<size_t> head_stage;  // nullopt: hidden states
  bool per_token;                    // a row for every token, else for every sequence
  size_t source_width;               // columns of a source's row,
  size_t column, width;              // of which these are the output

  // Copies `count` rows, from `source` on, to the output's rows from `first` on.
  void copy(const float* source, size_t count, size_t first, EngineOutput& to) const;
};

// In the order of the graph's outputs.
std::vector<OutputRows> output_rows(const Encoder& encoder);

// The outputs of a batch, with room for their values.
std::vector<EngineOutput> make_outputs(const std::vector<OutputRows>& rows,
                                       const PackedBatch& batch);

}  // namespace fp8q
