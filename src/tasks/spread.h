// Some of many, evenly spread: the same in every run, and from everywhere in a sorted file.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace fp8q {

// Of M items those with the indexes floor((2 i + 1) M / (2 count)) for i < count, in order; all
// where there are no more than `count`.
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
