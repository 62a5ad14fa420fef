// Measures where the time of a forward pass goes. The clock is read between the steps of the pass,
// and the times are summed by stage and by the arithmetic unit that formed the step's products.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "engine/engine.h"
#include "engine/stage.h"
#include "kernels/cpu/roof.h"

namespace fp8q::cpu {

// Describes what a step did since the previous one.
struct StageWork {
  Stage stage;
  std::optional<Unit> unit = {};  // forms its products; nullopt: it has none
  double operations = 0;
};

class StageClock {
 public:
  void start() { last_ = Clock::now(); }
  // Adds the time since start() or the last lap() to `work`.
  void lap(const StageWork& work);
  void add(const StageClock& other);
  // Returns the work that was done, in the order of the stages, with its times multiplied by
  // `factor`.
  std::vector<StageTime> times(double factor) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Sum {
    bool any = false;
    double seconds = 0, operations = 0;
  };
  static constexpr size_t kStages = std::size(kStageNames);
  static constexpr size_t kSumsOfStage = std::size(kUnits) + 1;  // by unit, the last for no unit

  std::array<std::array<Sum, kSumsOfStage>, kStages> sums_;
  Clock::time_point last_;
};

}  // namespace fp8q::cpu
