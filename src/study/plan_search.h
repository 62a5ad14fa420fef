// Searches for a cheap Plan that keeps a score, with few evaluations.
//
// A unit falls back as a whole: the Sites of a product (or of products that share an operand), or a
// single value. Each unit has steps, from the recipe's format to wider ones and finally floating
// point. A move takes a unit one step further. Moves are ordered by usefulness (harm removed per
// price). Doubling and bisection find the shortest beginning of that order that meets the demand,
// assuming that the score rises along the order. Then moves that turn out not to be needed are
// taken back, the least useful first. The returned assignment was itself evaluated, so noise in the
// order can raise the price but never miss the demand.
//
// This is pure search. The caller defines what a unit is and what a score is.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fp8q {

struct Move {
  size_t unit = 0;
  size_t step = 0;   // the step that the unit takes: 1, 2, ...
  double harm = 0;   // estimated harm that the move removes
  double price = 0;  // price of the move, above 0
};

// Holds the step of every unit. The recipe itself has step 0 everywhere.
using Assignment = std::vector<size_t>;
// Returns one digit per unit, such as "0010020". Steps above 9 do not occur.
std::string text_of(const Assignment& assignment);

// Returns whether an assignment meets the demand.
using Evaluate = std::function<bool(const Assignment&)>;

struct SearchLimits {
  size_t longest;      // most moves to make, so that something stays quantized
  size_t evaluations;  // most evaluations for taking moves back; bisection has no limit
};

struct SearchResult {
  std::optional<Assignment> assignment;  // nullopt if even `longest` moves do not meet the demand
  std::vector<size_t> moves;             // the moves made, as indices into the order
};

// Returns the order in which moves are tried: the largest harm per price first. A unit's steps stay
// in order. A later step that is more useful than the one before is joined to it, and both count
// with their mean. The sort is stable.
std::vector<Move> ordered_moves(std::vector<Move> moves);

SearchResult search_plan(size_t units, const std::vector<Move>& order, const SearchLimits& limits,
                         const Evaluate& meets);

}  // namespace fp8q
