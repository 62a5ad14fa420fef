#include "evaluate/rounding_facts.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/assert.h"

namespace fp8q {
namespace {

void add_note(const std::string& model, const std::vector<RoundingFacts>& rounding,
              double RoundingFacts::*share, double many, const char* what,
              std::vector<std::string>& notes) {
  const auto above =
      std::ranges::count_if(rounding, [&](const auto& r) { return r.*share > many; });
  if (above == 0) return;
  const auto worst = std::ranges::max_element(rounding, {}, share);
  notes.push_back(fmt::format(
      "{}: at {} Site{} more than {:g} % of the values {}, most at {} ({:.2f} %)", model, above,
      above == 1 ? "" : "s", 100 * many, what, worst->path, 100 * (*worst).*share));
}

}  // namespace

std::vector<RoundingCounts> rounding_counts(const std::vector<Site>& sites,
                                            const std::vector<SiteRounding>& counts) {
  FP8Q_ASSERT(counts.empty() || counts.size() == sites.size());
  std::vector<RoundingCounts> list;
  for (size_t i = 0; i < counts.size(); ++i)
    if (sites[i].kind == SiteKind::activation && sites[i].quantization)
      list.push_back(
          {sites[i].path, std::string(info(sites[i].quantization->format).name), counts[i]});
  return list;
}

std::vector<RoundingFacts> rounding_facts(const std::vector<RoundingCounts>& sites) {
  std::vector<RoundingFacts> facts;
  for (const auto& [path, format, counts] : sites) {
    if (counts.values == 0) continue;
    const auto values = static_cast<double>(counts.values);
    facts.push_back({.path = path,
                     .format = format,
                     .values = counts.values,
                     .saturated = static_cast<double>(counts.saturated) / values,
                     .underflowed = static_cast<double>(counts.underflowed) / values});
  }
  return facts;
}

void add_rounding_notes(const std::string& model, const std::vector<RoundingFacts>& rounding,
                        std::vector<std::string>& notes) {
  add_note(model, rounding, &RoundingFacts::saturated, kManySaturated, "saturate", notes);
  add_note(model, rounding, &RoundingFacts::underflowed, kManyUnderflowed, "become zero", notes);
}

}  // namespace fp8q
