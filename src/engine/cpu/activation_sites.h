// Does what happens to values on their way past the activation Sites of a CPU engine. A caller's
// transform changes them, an observer sees them, they are rounded, and what rounding did is
// counted.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/weights.h"
#include "kernels/cpu/codec.h"

namespace fp8q::cpu {

// Holds how each activation Site rounds, and the counts of all runs. A Site of -1 means that there
// is none.
class ActivationSites {
 public:
  explicit ActivationSites(const std::vector<Site>& sites);

  const std::optional<ActivationQuantization>& rounding(int site) const {
    return roundings_[static_cast<size_t>(site + 1)];
  }
  // The counting functions may be called from any thread. Threads that count at the same time wait
  // for each other's cache lines. The number of values is known beforehand, so it is better counted
  // once than part by part.
  void count_values(int site, size_t values) const noexcept;
  void count(int site, const RoundingCount& count) const noexcept;
  std::vector<SiteRounding> counts() const;

 private:
  struct Tally {
    std::atomic<uint64_t> values = 0, saturated = 0, underflowed = 0;
  };
  std::vector<std::optional<ActivationQuantization>> roundings_;  // by Site + 1
  std::unique_ptr<Tally[]> tallies_;
};

// Holds dense rows of whole sequences. Sequence s has the rows [offsets[s], offsets[s + 1]).
struct SiteRows {
  float* x;
  size_t columns;
  std::span<const int32_t> offsets;

  size_t rows() const { return static_cast<size_t>(offsets.back()); }
};

// Holds the Sites, the observer and the transforms of one run.
struct SitePass {
  const ActivationSites* sites;
  const SiteObserver* observer = nullptr;          // nullptr: none
  std::span<const SiteTransform> transforms = {};  // by Site; empty: none

  const SiteTransform* transform(int site) const;  // nullptr: it has none
  // Returns whether an observer or a transform needs the values in memory.
  bool is_watched(int site) const { return site >= 0 && (observer || transform(site)); }
  // Returns whether anything happens at a Site that is not the input of a product.
  bool is_active(int site) const { return is_watched(site) || sites->rounding(site); }

  // Applies the transform, then shows the values to the observer.
  void show(int site, const SiteRows& rows) const;
  // Replaces the values by their dequantized codes if the Site is quantized.
  void round(int site, const SiteRows& rows) const;
};

}  // namespace fp8q::cpu
