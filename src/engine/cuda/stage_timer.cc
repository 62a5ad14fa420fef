#include "engine/cuda/stage_timer.h"

#include <map>

namespace fp8q::cuda {

StageTimer::StageTimer(Stream stream) : stream_(stream) { start_.record(stream); }

void StageTimer::after(Stage stage, const GpuLinear* linear) {
  laps_.push_back({stage, linear, {}});
  laps_.back().end.record(stream_);
}

std::vector<StageTime> StageTimer::times(const PackedBatch& batch,
                                         const GpuEncoder& encoder) const {
  if (laps_.empty()) return {};
  laps_.back().end.synchronize();
  double pairs = 0;  // pairs of tokens that attend to each other
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const double n = batch.offsets[s + 1] - batch.offsets[s];
    pairs += n * n;
  }
  std::map<std::pair<Stage, std::string>, StageTime> sums;
  const Event* from = &start_;
  for (const Lap& lap : laps_) {
    const bool attention = lap.stage == Stage::attention;
    const std::string unit = lap.linear ? lap.linear->unit() : attention ? "bf16" : "";
    StageTime& sum = sums[{lap.stage, unit}];
    sum.stage = name(lap.stage);
    sum.unit = unit;
    sum.seconds += Event::milliseconds(*from, lap.end) / 1000;
    if (lap.linear)
      sum.operations += 2.0 * static_cast<double>(batch.tokens()) *
                        static_cast<double>(lap.linear->in() * lap.linear->out());
    if (attention) sum.operations += 4.0 * pairs * static_cast<double>(encoder.hidden);
    from = &lap.end;
  }
  std::vector<StageTime> times;
  for (auto& [key, time] : sums) times.push_back(std::move(time));
  return times;
}

// The numbers count the dense products and sums that the tensor cores of a multiprocessor form in a
// clock (NVIDIA H100 and Ada architecture white papers: 1979 and 733 TFLOP/s of FP8 at the boost
// clocks of H100 SXM and L40S).
std::vector<Roof> roofs_of(const DeviceInfo& d) {
  double fp8 = 0;
  if (d.major == 9) fp8 = 8192;
  if (d.capability() == 89) fp8 = 2048;
  if (fp8 == 0 || d.clock_hz <= 0) return {};
  const double peak = fp8 * d.multiprocessors * d.clock_hz;
  return {{"fp8", peak}, {"int8", peak}, {"bf16", peak / 2}};
}

}  // namespace fp8q::cuda
