// Finds the Sites that fall back together when a Plan is mixed. They are the quantized Sites of a
// product, or of products that share an operand (query, key and value). A value that enters no
// product is a unit by itself.
#pragma once

#include <map>
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
  double operations = 0;       // of its products per token; a multiply-add counts 2
  uint64_t weight_values = 0;  // number of values of its constant operands
};

// `tokens` is the mean length of a sequence, with which the products of attention grow. `hidden` is
// the width of the encoder.
struct UnitSizes {
  double tokens = 0;
  double hidden = 0;
};
// Returns the units of the Sites that the plan quantizes, in the order of their first Sites.
std::vector<FallbackUnit> fallback_units(const GraphIndex& index, const std::vector<Site>& sites,
                                         const Plan& plan, const UnitSizes& sizes);

// Says how fast products of a format run relative to floating-point products on a device, and what
// a change of format costs. Speeds are rounded to multiples of one half, so that prices are the
// same from run to run although speeds are measured.
class CostModel {
 public:
  // `speeds` are those of the device (Engine::product_speeds()). Unknown speeds count as 1.
  CostModel(const std::vector<ProductSpeed>& speeds, const std::vector<FallbackUnit>& units);

  double speed(const std::optional<Format>& format) const;
  // Returns the time of the unit's products, as a share of the time of all units in floating point.
  double time(const FallbackUnit& unit, const std::optional<Format>& format) const;
  // Returns the bytes of the unit's weights.
  static uint64_t bytes(const FallbackUnit& unit, const std::optional<Format>& format);
  // Returns the price of changing the format. It is the share of the time and of the bytes of all
  // units in floating point that the change adds, plus the share of the Sites that are no longer
  // quantized (a tenth of that share if they stay quantized). Of equally useful changes, the one
  // that leaves more quantized is therefore cheaper.
  double price(const FallbackUnit& unit, const std::optional<Format>& from,
               const std::optional<Format>& to) const;

 private:
  std::map<Format, double> speeds_;
  double operations_ = 0, bytes_ = 0, sites_ = 0;
};

}  // namespace fp8q
