#include "study/unit_harm.h"

#include <algorithm>
#include <cmath>

namespace fp8q {
namespace {

class Estimator {
 public:
  Estimator(const HarmInputs& inputs, std::vector<double>& known, const TrialProgress& progress)
      : in_(inputs), judge_(inputs.encoder, inputs.text), known_(known), progress_(progress) {
    for (const Plan& plan : in_.plans) trials_.emplace_back(in_.encoder, plan);
    total_ = in_.units.size() * (in_.plans.size() + 1) + 1;
  }

  std::vector<Move> moves() {
    std::vector<bool> everything = nothing();
    for (const FallbackUnit& unit : in_.units) mark(unit, everything, true);
    const double all = divergence(0, everything);
    std::vector<double> gains;
    for (const FallbackUnit& unit : in_.units) {
      mark(unit, everything, false);
      gains.push_back(all - divergence(0, everything));
      mark(unit, everything, true);
    }
    const double chance = scatter(gains);
    std::vector<Move> moves;
    for (size_t u = 0; u < in_.units.size(); ++u)
      add_moves(u, gains[u] > chance ? gains[u] : 0, moves);
    return ordered_moves(std::move(moves));
  }

 private:
  std::vector<bool> nothing() const { return std::vector<bool>(in_.encoder.sites.size(), false); }
  static void mark(const FallbackUnit& unit, std::vector<bool>& rounded, bool value) {
    for (const size_t s : unit.sites) rounded[s] = value;
  }
  // Returns the root mean square of the gains below zero.
  static double scatter(const std::vector<double>& gains) {
    double squares = 0, count = 0;
    for (const double gain : gains) {
      if (gain >= 0) continue;
      squares += gain * gain;
      count += 1;
    }
    return count > 0 ? std::sqrt(squares / count) : 0;
  }

  double divergence(size_t plan, const std::vector<bool>& rounded) {
    if (done_ == known_.size()) {
      known_.push_back(judge_.harm(*trials_[plan].engine_with(rounded)).divergence);
      if (progress_) progress_(done_ + 1, total_);
    }
    return known_[done_++];
  }

  void add_moves(size_t u, double gain, std::vector<Move>& moves) {
    const FallbackUnit& unit = in_.units[u];
    std::vector<bool> only = nothing();
    mark(unit, only, true);
    const double alone = divergence(0, only);
    double harm = alone + gain;  // the harm that is left
    std::optional<Format> format = format_in(0, unit);
    for (size_t p = 1; p < in_.plans.size(); ++p) {
      const double share = alone > 0 ? std::min(1.0, divergence(p, only) / alone) : 1;
      const double left = std::min(harm, share * (alone + gain));
      const auto to = format_in(p, unit);
      moves.push_back({u, p, harm - left, in_.costs.price(unit, format, to)});
      harm = left;
      format = to;
    }
    moves.push_back({u, in_.plans.size(), harm, in_.costs.price(unit, format, std::nullopt)});
  }

  std::optional<Format> format_in(size_t plan, const FallbackUnit& unit) const {
    return in_.plans[plan].sites[unit.sites.front()].format;
  }

  const HarmInputs& in_;
  TrialJudge judge_;
  std::vector<double>& known_;
  const TrialProgress& progress_;
  std::vector<Trials> trials_;
  size_t done_ = 0, total_ = 0;
};

}  // namespace

std::vector<Move> estimate_moves(const HarmInputs& inputs, std::vector<double>& trials,
                                 const TrialProgress& progress) {
  return Estimator(inputs, trials, progress).moves();
}

}  // namespace fp8q
