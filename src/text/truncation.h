// Longest-first truncation: how many tokens of each text of a pair stay.
#pragma once

#include <cstddef>
#include <utility>

namespace fp8q {

// The lengths to keep so that their sum is at most `room`. The longer text is cut first; when both
// must be cut, they share the room and the one that was longer (the second if equal) gets the odd
// token. This is the `tokenizers` package's rule, which differs from removing tokens one by one
// only in who gets the odd one.
std::pair<size_t, size_t> truncate_longest_first(size_t first, size_t second, size_t room);

}  // namespace fp8q
