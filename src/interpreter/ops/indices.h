// Reads tensors of indices: bounds, and the index tuples of GatherND and ScatterND.
#pragma once

#include "interpreter/ops/layout.h"

namespace fp8q {

// Returns an index that may count from the end. Throws an Error (bad_data) if it is outside
// [-length, length), because indices are usually token ids.
int64_t checked_index(const OpContext& context, int64_t index, int64_t length);

// The last dimension of the indices holds tuples of `depth` indices into dimensions
// [first, first + depth) of a tensor; each selects a slice of `slice` elements.
struct TupleView {
  size_t depth;
  int64_t slice;
};
TupleView tuple_view(const OpContext& context, const Shape& indices, const Shape& shape,
                     size_t first);

// Returns the first element of the slice that `tuple` selects, in dimensions [first, ...) of
// `shape`.
int64_t tuple_offset(const OpContext& context, const int64_t* tuple, size_t depth,
                     const Shape& shape, size_t first);

}  // namespace fp8q
