#include "engine/output_rows.h"

#include <cstring>

namespace fp8q {

void OutputRows::copy(const float* source, size_t count, size_t first, EngineOutput& to) const {
  for (size_t r = 0; r < count; ++r)
    std::memcpy(&to.values[(first + r) * width], source + r * source_width + column,
                width * sizeof(float));
}

std::vector<OutputRows> output_rows(const Encoder& encoder) {
  std::vector<OutputRows> all;
  for (const EncoderOutput& o : encoder.outputs) {
    OutputRows rows{.name = o.name,
                    .head_stage = std::nullopt,
                    .per_token = true,
                    .source_width = static_cast<size_t>(encoder.hidden),
                    .column = 0,
                    .width = 0};
    if (o.source != OutputSource::hidden_states) {
      const bool stage = o.source == OutputSource::head_stage;
      rows.head_stage = stage ? static_cast<size_t>(o.index) : encoder.head.size() - 1;
      rows.per_token = encoder.head_kind == HeadKind::every_token;
      rows.source_width = static_cast<size_t>(encoder.head.at(*rows.head_stage).linear.out);
    }
    const bool one = o.source == OutputSource::head_column;
    rows.column = one ? static_cast<size_t>(o.index) : 0;
    rows.width = one ? 1 : rows.source_width;
    all.push_back(std::move(rows));
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
