#include "engine/cpu/stage_clock.h"

namespace fp8q::cpu {
void StageClock::lap(const StageWork& work) {
  const Clock::time_point now = Clock::now();
  const size_t unit = work.unit ? static_cast<size_t>(*work.unit) : kSumsOfStage - 1;
  Sum& sum = sums_[static_cast<size_t>(work.stage)][unit];
  sum.any = true;
  sum.seconds += std::chrono::duration<double>(now - last_).count();
  sum.operations += work.operations;
  last_ = now;
}

void StageClock::add(const StageClock& other) {
  for (size_t s = 0; s < kStages; ++s)
    for (size_t u = 0; u < kSumsOfStage; ++u) {
      const Sum& from = other.sums_[s][u];
      Sum& to = sums_[s][u];
      to.any |= from.any;
      to.seconds += from.seconds;
      to.operations += from.operations;
    }
}

std::vector<StageTime> StageClock::times(double factor) const {
  std::vector<StageTime> times;
  for (size_t s = 0; s < kStages; ++s)
    for (size_t u = 0; u < kSumsOfStage; ++u)
      if (const Sum& sum = sums_[s][u]; sum.any)
        times.push_back(
            {std::string(kStageNames[s]),
             u + 1 < kSumsOfStage ? std::string(name(static_cast<Unit>(u))) : std::string(),
             sum.seconds * factor, sum.operations});
  return times;
}

}  // namespace fp8q::cpu
