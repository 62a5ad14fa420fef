// Tells where the outputs of an Encoder come from, for engines that leave its hidden states and the
// results of its head's stages as rows of floats.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"

namespace fp8q {

// Describes one output: it consists of columns of the rows that some stage of the head leaves, or
// of the hidden states, after functions that the engine has not applied.
struct OutputRows {
  std::string name;
  std::optional<size_t> head_stage;  // nullopt: hidden states
  std::vector<RowFunction> functions;
  bool source_per_token;  // one row of the source for every token, else one for every sequence
  bool per_token;         // the same for the output
  size_t source_width;    // number of columns in a row of the source
  size_t column, width;   // these columns of a source row are the output

  // Describes whole sequences of a batch: their place in it, and the bounds of their tokens.
  struct Part {
    size_t first_sequence, first_token;
    std::span<const int32_t> offsets;  // [sequences + 1], the first is 0
  };
  // Writes the output's rows of a part, whose rows of the source begin at `source`.
  void write(const float* source, const Part& part, EngineOutput& to) const;
};

// Returns the OutputRows in the order of the graph's outputs.
std::vector<OutputRows> output_rows(const Encoder& encoder);

// Returns the outputs of a batch, with room for their values.
std::vector<EngineOutput> make_outputs(const std::vector<OutputRows>& rows,
                                       const PackedBatch& batch);

}  // namespace fp8q
