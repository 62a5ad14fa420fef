#include "evaluate/run.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/assert.h"
#include "base/stopwatch.h"
#include "engine/row_functions.h"

namespace fp8q {
namespace {

std::vector<size_t> running_order(std::span<const Encoding> examples, bool sort_by_length) {
  std::vector<size_t> order(examples.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (sort_by_length)
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return examples[a].ids.size() > examples[b].ids.size();
    });
  return order;
}

// Splits the outputs of a batch into those of its sequences.
void scatter(const std::vector<EngineOutput>& outputs, const PackedBatch& batch,
             std::span<const size_t> members, std::optional<RowFunction> pooling,
             RunResult& result) {
  for (size_t i = 0; i < members.size(); ++i) {
    ExampleOutputs& example = result.examples[members[i]];
    for (const EngineOutput& output : outputs) {
      const auto row = [&](size_t sequence) {
        return output.per_token ? static_cast<int64_t>(batch.offsets[sequence])
                                : static_cast<int64_t>(sequence);
      };
      const std::span<const float> values(output.values.begin() + row(i) * output.width,
                                          output.values.begin() + row(i + 1) * output.width);
      std::vector<float>& kept = example.emplace_back();
      if (!output.per_token || !pooling) {
        kept.assign(values.begin(), values.end());
        continue;
      }
      const std::array<int32_t, 2> offsets = {0, batch.offsets[i + 1] - batch.offsets[i]};
      apply_functions(std::array{*pooling},
                      {values.data(), static_cast<size_t>(output.width), offsets, true}, kept);
    }
  }
}

}  // namespace

RunResult run_examples(Engine& engine, std::span<const Encoding> examples,
                       const RunSettings& settings, const Progress& progress) {
  FP8Q_ASSERT(settings.batch > 0);
  RunResult result;
  result.examples.resize(examples.size());
  const std::vector<size_t> order = running_order(examples, settings.sort_by_length);
  for (size_t begin = 0; begin < order.size(); begin += settings.batch) {
    const std::span<const size_t> members =
        std::span(order).subspan(begin, std::min(settings.batch, order.size() - begin));
    PackedBatch batch;
    for (const size_t e : members) batch.append(examples[e].ids, examples[e].type_ids);

    const Stopwatch watch;
    const std::vector<EngineOutput> outputs = engine.run(batch);
    result.seconds += watch.seconds();
    result.tokens += batch.tokens();

    if (result.outputs.empty())
      for (const EngineOutput& o : outputs)
        result.outputs.push_back({o.name, o.per_token && !settings.pooling, o.width});
    scatter(outputs, batch, members, settings.pooling, result);
    if (progress) progress(begin + members.size(), order.size());
  }
  return result;
}

}  // namespace fp8q
