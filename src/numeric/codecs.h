// Lists the codec of every format, for code that is compiled for each format.
//
// A codec (minifloat.h, integer_codec.h) has encode(float) and decode(code), the values largest(),
// lowest() and step_at_zero(), kBits and kInteger. Everything else about a format follows from
// these.
#pragma once

#include "base/assert.h"
#include "numeric/format.h"
#include "numeric/integer_codec.h"
#include "numeric/minifloat.h"

namespace fp8q {

template <Format kFormat>
struct FormatCodec;
#define FP8Q_FORMAT(id, onnx_type, codec) \
  template <>                             \
  struct FormatCodec<Format::id> {        \
    using type = codec;                   \
  };
#include "numeric/formats.def"
#undef FP8Q_FORMAT

template <Format kFormat>
using CodecOf = typename FormatCodec<kFormat>::type;

// Calls f.template operator()<format>() for a format that is known at run time.
template <typename F>
decltype(auto) with_format(Format format, const F& f) {
  switch (format) {
#define FP8Q_FORMAT(id, ...) \
  case Format::id:           \
    return f.template operator()<Format::id>();
#include "numeric/formats.def"
#undef FP8Q_FORMAT
  }
  FP8Q_ASSERT(!"Format out of range");
}

}  // namespace fp8q
