#include "evaluate/run.h"

#include <algorithm>
#include <numeric>

#include "base/assert.h"
#include "base/stopwatch.h"

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

// Returns the mean of rows of `width` values.
std::vector<float> mean_row(std::span<const float> rows, size_t width) {
  std::vector<double> sums(width);
  for (size_t i = 0; i < rows.size(); ++i) sums[i % width] += double{rows[i]};
  std::vector<float> mean(width);
  for (size_t c = 0; c < width; ++c)
    mean[c] =
        static_cast<float>(sums[c] * static_cast<double>(width) / static_cast<double>(rows.size()));
  return mean;
}

// Splits the outputs of a batch into those of its sequences.
void scatter(const std::vector<EngineOutput>& outputs, const PackedBatch& batch,
             std::span<const size_t> members, bool mean_tokens, RunResult& result) {
  for (size_t i = 0; i < members.size(); ++i) {
    ExampleOutputs& example = result.examples[members[i]];
    for (const EngineOutput& output : outputs) {
      const auto row = [&](size_t sequence) {
        return output.per_token ? static_cast<int64_t>(batch.offsets[sequence])
                                : static_cast<int64_t>(sequence);
      };
      const std::span<const float> values(output.values.begin() + row(i) * output.width,
                                          output.values.begin() + row(i + 1) * output.width);
      if (output.per_token && mean_tokens)
        example.push_back(mean_row(values, static_cast<size_t>(output.width)));
      else example.emplace_back(values.begin(), values.end());
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
        result.outputs.push_back({o.name, o.per_token && !settings.mean_tokens, o.width});
    scatter(outputs, batch, members, settings.mean_tokens, result);
    if (progress) progress(begin + members.size(), order.size());
  }
  return result;
}

}  // namespace fp8q
