// Chooses some of many items, evenly spread. The choice is the same in every run, and covers a
// sorted file.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace fp8q {

// Returns the items with the indices floor((2 i + 1) M / (2 count)) of M items for i < count, in
// order. Returns all if there are no more than `count`.
template <typename T>
std::vector<T> spread_evenly(std::vector<T> items, size_t count) {
  if (items.size() <= count) return items;
  std::vector<T> chosen;
  chosen.reserve(count);
  for (size_t i = 0; i < count; ++i)
    chosen.push_back(std::move(items[(2 * i + 1) * items.size() / (2 * count)]));
  return chosen;
}

}  // namespace fp8q
