// Longest-first truncation decides how many tokens of each text of a pair stay.
#pragma once

#include <cstddef>
#include <utility>

namespace fp8q {

// Returns the lengths to keep, whose sum is at most `room`. The longer text is cut first. If both
// must be cut, they share the room, and the text that was longer (the second if equal) gets the odd
// token. This is the `tokenizers` package's rule, which differs from removing tokens one by one
// only in which text gets the odd token.
std::pair<size_t, size_t> truncate_longest_first(size_t first, size_t second, size_t room);

}  // namespace fp8q
