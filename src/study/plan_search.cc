#include "study/plan_search.h"

#include <algorithm>
#include <functional>
#include <map>

#include "base/assert.h"

namespace fp8q {
namespace {

class Search {
 public:
  Search(size_t units, const std::vector<Move>& order, const Evaluate& meets)
      : units_(units), order_(order), meets_(meets) {}

  Assignment with(const std::vector<size_t>& moves) const {
    Assignment steps(units_, 0);
    for (const size_t m : moves)
      steps[order_[m].unit] = std::max(steps[order_[m].unit], order_[m].step);
    return steps;
  }
  bool meets(const std::vector<size_t>& moves) const { return meets_(with(moves)); }

  static std::vector<size_t> first(size_t count) {
    std::vector<size_t> moves(count);
    for (size_t m = 0; m < count; ++m) moves[m] = m;
    return moves;
  }

  // Returns the least number of moves from the beginning that meets the demand, or nullopt if no
  // number up to `longest` does.
  std::optional<size_t> shortest(size_t longest) const {
    if (meets(first(0))) return 0;
    if (longest == 0) return std::nullopt;
    size_t fails = 0, works = 1;
    while (!meets(first(works))) {
      if (works == longest) return std::nullopt;
      fails = works;
      works = std::min(2 * works, longest);
    }
    while (works - fails > 1) {
      const size_t middle = fails + (works - fails) / 2;
      (meets(first(middle)) ? works : fails) = middle;
    }
    return works;
  }

  // Returns whether another move of the list takes the same unit further. This move is then not the
  // unit's last.
  bool is_passed(const std::vector<size_t>& moves, size_t at) const {
    return std::ranges::any_of(moves, [&](size_t m) {
      return order_[m].unit == order_[moves[at]].unit && order_[m].step > order_[moves[at]].step;
    });
  }

  // Takes back moves that are not needed, the least useful first. The last move of a bisection is
  // needed.
  void take_back(std::vector<size_t>& moves, size_t evaluations) const {
    if (moves.size() < 2) return;
    for (size_t at = moves.size() - 1; at-- > 0 && evaluations > 0;) {
      if (is_passed(moves, at)) continue;
      std::vector<size_t> fewer = moves;
      fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(at));
      --evaluations;
      if (meets(fewer)) moves = std::move(fewer);
    }
  }

 private:
  size_t units_;
  const std::vector<Move>& order_;
  const Evaluate& meets_;
};

double usefulness(const Move& move) { return move.harm / move.price; }

}  // namespace

std::string text_of(const Assignment& assignment) {
  std::string text;
  for (const size_t step : assignment) {
    FP8Q_ASSERT(step <= 9);
    text += static_cast<char>('0' + step);
  }
  return text;
}

std::vector<Move> ordered_moves(std::vector<Move> moves) {
  // Successive steps of a unit that get more useful are one decision.
  std::map<size_t, std::vector<Move>> by_unit;
  std::ranges::stable_sort(moves, {}, &Move::step);
  for (const Move& move : moves) {
    std::vector<Move>& steps = by_unit[move.unit];
    steps.push_back(move);
    while (steps.size() > 1 && usefulness(steps.back()) > usefulness(steps[steps.size() - 2])) {
      const Move last = steps.back();
      steps.pop_back();
      Move& joined = steps.back();
      joined.step = last.step;
      joined.harm += last.harm;
      joined.price += last.price;
    }
  }
  std::vector<Move> order;
  for (const auto& [unit, steps] : by_unit) order.insert(order.end(), steps.begin(), steps.end());
  std::ranges::stable_sort(order, std::greater(), usefulness);
  return order;
}

SearchResult search_plan(size_t units, const std::vector<Move>& order, const SearchLimits& limits,
                         const Evaluate& meets) {
  FP8Q_ASSERT(limits.longest <= order.size());
  const Search search(units, order, meets);
  const auto count = search.shortest(limits.longest);
  if (!count) return {};
  SearchResult result{std::nullopt, Search::first(*count)};
  search.take_back(result.moves, limits.evaluations);
  result.assignment = search.with(result.moves);
  return result;
}

}  // namespace fp8q
