// Tensors of indices: bounds, and index tuples as GatherND and ScatterND use them.
#pragma once

#include "interpreter/ops/layout.h"

namespace fp8q {

// An index that may count from the end; Error (bad_data) outside [-length, length): indices are
// usually token ids.
int64_t checked_index(const OpContext& context, int64_t index, int64_t length);

// The last dimension of the indices holds tuples of `depth` indices into dimensions
// [first, first + depth) of a tensor; each selects a slice of `slice` elements.
struct TupleView {
  size_t depth;
  int64_t slice;
};
TupleView tuple_view(const OpContext& context, const Shape& indices, const Shape& shape,
                     size_t first);

// The first element of the slice that `tuple` selects, within dimensions [first, ...) of `shape`.
int64_t tuple_offset(const OpContext& context, const int64_t* tuple, size_t depth,
                     const Shape& shape, size_t first);

}  // namespace fp8q
