#include "study/bench_rows.h"

#include <algorithm>
#include <map>

namespace fp8q {
namespace {

double fraction_of_roof(const std::vector<BenchmarkRoof>& roofs, const std::string& unit,
                        double operations, double seconds) {
  const auto roof = std::ranges::find(roofs, unit, &BenchmarkRoof::unit);
  if (roof == roofs.end() || operations == 0) return 0;
  return operations / seconds / roof->operations_per_s;
}

std::vector<BenchmarkStage> stages_of(const std::vector<StageTime>& profile) {
  double total = 0;
  for (const StageTime& s : profile) total += s.seconds;
  std::vector<BenchmarkStage> stages;
  for (const StageTime& s : profile)
    stages.push_back({s.stage, s.unit, s.seconds, s.seconds / total, s.operations, 0});
  return stages;
}

// Adds the operations of a forward pass, and the unit that does most of them.
void add_operations(const std::vector<StageTime>& profile, BenchmarkRow& row) {
  std::map<std::string, double> by_unit;
  for (const StageTime& s : profile) {
    row.operations += s.operations;
    by_unit[s.unit] += s.operations;
  }
  const auto most = std::ranges::max_element(by_unit, {}, [](const auto& u) { return u.second; });
  if (most != by_unit.end()) row.unit = most->first;
}

void add_times(const std::vector<double>& seconds, BenchmarkRow& row) {
  row.runs = seconds.size();
  const auto ms = [&](double share) { return 1e3 * quantile(seconds, share); };
  row.min_ms = ms(0);
  row.p10_ms = ms(0.1);
  row.median_ms = ms(0.5);
  row.p90_ms = ms(0.9);
  row.p99_ms = ms(0.99);
  row.sequences_per_s = 1e3 * static_cast<double>(row.batch) / row.median_ms;
  row.tokens_per_s = 1e3 * static_cast<double>(row.tokens) / row.median_ms;
}

}  // namespace

std::vector<BenchmarkRow> measure_cell(std::span<Engine* const> engines, const BenchCell& cell) {
  const PackedBatch batch = random_batch(cell.batch);
  const auto runs = time_runs(engines, batch, cell.rule);
  const double first = quantile(runs.front(), 0.5);
  std::vector<BenchmarkRow> rows;
  for (size_t v = 0; v < engines.size(); ++v) {
    BenchmarkRow row{.variant = v, .batch = cell.batch.sequences, .length = cell.batch.length};
    row.tokens = batch.tokens();
    add_times(runs[v], row);
    row.ratio = first / quantile(runs[v], 0.5);
    const auto profile =
        mean_profile(*engines[v], batch, cell.stages ? cell.rule : TimingRule{.repeat = 1});
    add_operations(profile, row);
    if (cell.stages) row.stages = stages_of(profile);
    rows.push_back(std::move(row));
  }
  return rows;
}

void keep_best(const std::vector<Roof>& measured, std::vector<BenchmarkRoof>& roofs) {
  for (const Roof& m : measured) {
    const auto known = std::ranges::find(roofs, m.unit, &BenchmarkRoof::unit);
    if (known == roofs.end()) roofs.push_back({m.unit, m.operations_per_s});
    else known->operations_per_s = std::max(known->operations_per_s, m.operations_per_s);
  }
}

void add_roof_fractions(const std::vector<BenchmarkRoof>& roofs, std::vector<BenchmarkRow>& rows) {
  for (BenchmarkRow& row : rows) {
    row.roof_fraction = fraction_of_roof(roofs, row.unit, row.operations, row.median_ms / 1e3);
    for (BenchmarkStage& s : row.stages)
      s.roof_fraction = fraction_of_roof(roofs, s.unit, s.operations, s.seconds);
  }
}

}  // namespace fp8q
