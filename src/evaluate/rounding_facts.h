// Reports telemetry of a quantized model's run, which tells what rounding did at every Site.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "fp8q/evaluate.h"

namespace fp8q {

// Counts what rounding did at one quantized activation Site.
struct RoundingCounts {
  std::string path;
  std::string format;
  SiteRounding counts;
};

// Returns one entry for each quantized activation Site, in their order. Engine::rounding() gives
// `counts`.
std::vector<RoundingCounts> rounding_counts(const std::vector<Site>& sites,
                                            const std::vector<SiteRounding>& counts);

// Returns the counts as shares, for the Sites that saw values.
std::vector<RoundingFacts> rounding_facts(const std::vector<RoundingCounts>& sites);

// A Site with a share above these is worth a warning. With a scale from the largest value seen, a
// handful of values in a million saturate. Zero is the right code for the many small values on
// INT8's coarse grid, unless it takes most of the values.
inline constexpr double kManySaturated = 1e-3;
inline constexpr double kManyUnderflowed = 0.5;

// Adds a note for each of the two kinds if any Site is above its share. The note says how many
// Sites are, and names the worst.
void add_rounding_notes(const std::string& model, const std::vector<RoundingFacts>& rounding,
                        std::vector<std::string>& notes);

}  // namespace fp8q
