#include "engine/cpu/roof.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "base/threads.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/roof.h"

namespace fp8q::cpu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWindows = 5;
constexpr std::chrono::milliseconds kWindow{10};  // far longer than it takes to wake the threads
constexpr size_t kTurns = 2000;                   // a few microseconds between looks at the clock

// Returns the operations per second of all threads together.
double rate_of(Unit unit) {
  std::vector<double> done(static_cast<size_t>(threads()), 0.0);
  const Clock::time_point start = Clock::now();
  parallel_for(done.size(), [&](size_t thread) {
    double operations = 0;
    do operations += run_unit(unit, kTurns);
    while (Clock::now() - start < kWindow);
    done[thread] = operations;
  });
  const std::chrono::duration<double> seconds = Clock::now() - start;
  return std::accumulate(done.begin(), done.end(), 0.0) / seconds.count();
}

}  // namespace

std::vector<Roof> measure_roofs() {
  isa();  // settles the level before the first kernel runs
  std::vector<Roof> roofs;
  for (const Unit unit : kUnits) {
    if (!has_unit(unit)) continue;
    double best = 0;
    for (int i = 0; i < kWindows; ++i) best = std::max(best, rate_of(unit));
    roofs.push_back({std::string(name(unit)), best});
  }
  return roofs;
}

}  // namespace fp8q::cpu
