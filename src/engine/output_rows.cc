#include "engine/output_rows.h"

#include <cstring>

#include "engine/row_functions.h"

namespace fp8q {

void OutputRows::write(const float* source, const Part& part, EngineOutput& to) const {
  std::vector<float> made;
  if (!functions.empty()) {
    apply_functions(functions, {source, source_width, part.offsets, source_per_token}, made);
    source = made.data();
  }
  const size_t first = per_token ? part.first_token : part.first_sequence;
  const size_t count =
      per_token ? static_cast<size_t>(part.offsets.back()) : part.offsets.size() - 1;
  for (size_t r = 0; r < count; ++r)
    std::memcpy(&to.values[(first + r) * width], source + r * source_width + column,
                width * sizeof(float));
}

std::vector<OutputRows> output_rows(const Encoder& encoder) {
  std::vector<OutputRows> all;
  for (const EncoderOutput& o : encoder.outputs) {
    const HeadRows source{o.rows.stage, {}};
    const auto width = static_cast<size_t>(width_of(encoder, source));
    const bool hidden = o.rows.stage == HeadRows::kHiddenStates;
    all.push_back(
        {.name = o.name,
         .head_stage = hidden ? std::nullopt : std::optional(static_cast<size_t>(o.rows.stage)),
         .functions = o.rows.functions,
         .source_per_token = is_per_token(encoder, source),
         .per_token = is_per_token(encoder, o.rows),
         .source_width = width,
         .column = static_cast<size_t>(o.column.value_or(0)),
         .width = o.column ? 1 : width});
  }
  return all;
}

std::vector<EngineOutput> make_outputs(const std::vector<OutputRows>& rows,
                                       const PackedBatch& batch) {
  std::vector<EngineOutput> outputs;
  for (const OutputRows& r : rows) {
    const size_t count = r.per_token ? batch.tokens() : batch.sequences();
    outputs.push_back({.name = r.name,
                       .per_token = r.per_token,
                       .width = static_cast<int64_t>(r.width),
                       .values = std::vector<float>(count * r.width)});
  }
  return outputs;
}

}  // namespace fp8q
