#include "study/unit_harm.h"

#include <algorithm>

namespace fp8q {
namespace {

class Estimator {
 public:
  Estimator(const HarmInputs& inputs, const TrialProgress& progress)
      : in_(inputs), judge_(inputs.encoder, inputs.text), progress_(progress) {
    for (const Plan& plan : in_.plans) trials_.emplace_back(in_.encoder, plan);
    total_ = in_.units.size() * (in_.plans.size() + 1) + 1;
  }

  std::vector<Move> moves() {
    std::vector<bool> everything = nothing();
    for (const FallbackUnit& unit : in_.units) mark(unit, everything, true);
    const double all = divergence(0, everything);
    std::vector<Move> moves;
    for (size_t u = 0; u < in_.units.size(); ++u) {
      mark(in_.units[u], everything, false);
      const double gain = std::max(0.0, all - divergence(0, everything));
      mark(in_.units[u], everything, true);
      add_moves(u, gain, moves);
    }
    return ordered_moves(std::move(moves));
  }

 private:
  std::vector<bool> nothing() const { return std::vector<bool>(in_.encoder.sites.size(), false); }
  static void mark(const FallbackUnit& unit, std::vector<bool>& rounded, bool value) {
    for (const size_t s : unit.sites) rounded[s] = value;
  }
  double divergence(size_t plan, const std::vector<bool>& rounded) {
    const double found = judge_.harm(*trials_[plan].engine_with(rounded)).divergence;
    if (progress_) progress_(++done_, total_);
    return found;
  }

  void add_moves(size_t u, double gain, std::vector<Move>& moves) {
    const FallbackUnit& unit = in_.units[u];
    std::vector<bool> only = nothing();
    mark(unit, only, true);
    const double alone = divergence(0, only);
    double harm = alone + gain;  // that is left
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
  const TrialProgress& progress_;
  std::vector<Trials> trials_;
  size_t done_ = 0, total_ = 0;
};

}  // namespace

std::vector<Move> estimate_moves(const HarmInputs& inputs, const TrialProgress& progress) {
  return Estimator(inputs, progress).moves();
}

}  // namespace fp8q
