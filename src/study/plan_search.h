// The search for a cheap Plan that keeps a score, with few evaluations.
//
// Units are what falls back together: the Sites of a product (or of products that share an
// operand), or a single value. Each has steps, from the recipe's format to wider ones and floating
// point at last; a move takes a unit one step on. Moves are ordered by usefulness (harm taken away
// per price), and the shortest beginning of that order that meets the demand is found by doubling
// and bisection, which takes the score to rise along the order; then moves of it that turn out not
// to be needed are taken back, the least useful first. What is returned was evaluated itself, so
// that noise in the order costs price and never the demand.
//
// Pure search: what a unit is and what a score is belongs to the caller.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fp8q {

struct Move {
  size_t unit = 0;
  size_t step = 0;   // that the unit takes: 1, 2, ...
  double harm = 0;   // estimated, that it takes away
  double price = 0;  // that it costs, above 0
};

// The step of every unit; all 0 is the recipe as it is.
using Assignment = std::vector<size_t>;
// "0010020": digits, one per unit; steps above 9 do not occur.
std::string text_of(const Assignment& assignment);

// Whether an assignment meets the demand.
using Evaluate = std::function<bool(const Assignment&)>;

struct SearchLimits {
  size_t longest;      // moves that may be made at all, so that something stays quantized
  size_t evaluations;  // at most, of those for taking moves back; the bisection always ends
};

struct SearchResult {
  std::optional<Assignment> assignment;  // nullopt: even `longest` moves do not meet the demand
  std::vector<size_t> moves;             // made, as indices into the order
};

// The order in which moves are tried: harm per price, largest first; a unit's steps one after the
// other (a later step that is more useful than the one before is joined to it: both are taken at
// the mean). Stable.
std::vector<Move> ordered_moves(std::vector<Move> moves);

SearchResult search_plan(size_t units, const std::vector<Move>& order, const SearchLimits& limits,
                         const Evaluate& meets);

}  // namespace fp8q
