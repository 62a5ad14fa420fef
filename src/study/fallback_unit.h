// What falls back together when a Plan is mixed: the quantized Sites of a product, or of products
// that share an operand (query, key and value); a value that enters no product by itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "graph/graph.h"
#include "quantize/plan.h"

namespace fp8q {

struct FallbackUnit {
  std::string name;            // path of its first Site
  std::vector<size_t> sites;   // indices, ascending
  double operations = 0;       // of its products per token, 2 per multiplication with its addition
  uint64_t weight_values = 0;  // of its constant operands
};

// Those of the Sites that the plan quantizes, in the order of their first Sites. `tokens`: mean
// length of a sequence, which the products of attention grow with; `hidden`: width of the encoder.
struct UnitSizes {
  double tokens = 0;
  double hidden = 0;
};
std::vector<FallbackUnit> fallback_units(const GraphIndex& index, const std::vector<Site>& sites,
                                         const Plan& plan, const UnitSizes& sizes);

// How fast products of a format run against floating-point ones on a device, and what a change of
// format costs. Speeds are whole and half multiples, so that prices repeat from run to run although
// roofs are measured.
class CostModel {
 public:
  // `roofs` of the device; unknown speeds count as 1.
  CostModel(const std::vector<Roof>& roofs, const std::vector<FallbackUnit>& units);

  double speed(const std::optional<Format>& format) const;
  // Time of the unit's products, as a share of that of all units in floating point.
  double time(const FallbackUnit& unit, const std::optional<Format>& format) const;
  // Bytes of its weights.
  static uint64_t bytes(const FallbackUnit& unit, const std::optional<Format>& format);
  // Of changing the format: the share of the time and of the bytes of all units in floating point
  // that it adds, and the share of the Sites that are quantized no more (a tenth of it where they
  // stay quantized): of equally useful changes, the one that leaves more quantized is cheaper.
  double price(const FallbackUnit& unit, const std::optional<Format>& from,
               const std::optional<Format>& to) const;

 private:
  double fp8_ = 1, int8_ = 1;
  double operations_ = 0, bytes_ = 0, sites_ = 0;
};

}  // namespace fp8q
