#include "engine/position_rows.h"

namespace fp8q {

void position_rows(const PositionRule& rule, std::span<const int32_t> ids,
                   std::span<const int32_t> offsets, int32_t* rows) {
  const auto first = static_cast<int32_t>(rule.first);
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    int32_t next = first;
    for (int32_t t = offsets[s]; t < offsets[s + 1]; ++t) {
      const auto at = static_cast<size_t>(t - offsets[0]);
      rows[at] = rule.padding_id == ids[at] ? first - 1 : next++;
    }
  }
}

}  // namespace fp8q
