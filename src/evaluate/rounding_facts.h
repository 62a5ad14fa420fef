// Telemetry of a quantized model's run: what its rounding did at every Site.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "fp8q/evaluate.h"

namespace fp8q {

// What rounding did at one quantized activation Site, as counted.
struct RoundingCounts {
  std::string path;
  std::string format;
  SiteRounding counts;
};

// One for each quantized activation Site, in their order. `counts` as Engine::rounding() gives
// them.
std::vector<RoundingCounts> rounding_counts(const std::vector<Site>& sites,
                                            const std::vector<SiteRounding>& counts);

// As shares, of the Sites that saw values.
std::vector<RoundingFacts> rounding_facts(const std::vector<RoundingCounts>& sites);

// Shares above which a Site is worth a warning. A scale from the largest value seen lets a handful
// of values in a million saturate; and zero is the right code for the many small values of INT8's
// coarse grid, until it takes most of them.
inline constexpr double kManySaturated = 1e-3;
inline constexpr double kManyUnderflowed = 0.5;

// A note for each of the two kinds where a Site is above its share: how many, and the worst by
// name.
void add_rounding_notes(const std::string& model, const std::vector<RoundingFacts>& rounding,
                        std::vector<std::string>& notes);

}  // namespace fp8q
