// Tells how much memory converting a model takes, from shapes alone, and plans it
// (base/memory_plan.h). The float weights are read from their mapped files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/site.h"
#include "quantize/request.h"

namespace fp8q {

class ConversionNeeds {
 public:
  ConversionNeeds(const GraphIndex& index, const std::vector<Site>& sites,
                  const PlanRequest& request);

  // Returns how many weights can be quantized side by side: one for each thread, or fewer if only
  // these fit into memory; at least 1.
  size_t side_by_side() const;

  // Throws an Error (limit) that begins with `model` if conversion does not fit into memory, even
  // with one weight at a time.
  void require(const std::string& model) const;

 private:
  void add_weights(const GraphIndex& index, const std::vector<Site>& sites,
                   const PlanRequest& request);
  void add_tables(const GraphIndex& index, const PlanRequest& request);

  uint64_t kept_ = 0;       // new codes and tables, until they are written
  uint64_t read_back_ = 0;  // what reading the written file may copy, if it is not aligned there
  uint64_t each_ = 0;       // while the largest weight is planned
  uint64_t table_ = 0;      // while the largest table is planned
};

}  // namespace fp8q
