#include "kernels/cpu/dnnl_matmul.h"

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

namespace fp8q::cpu {
namespace {

constexpr std::array<size_t, 5> kChunks = {16, 32, 64, 128, 256};

// The rows to process next: a chunk that is filled to three quarters, else the largest that is
// filled entirely, else the smallest.
size_t chunk_for(size_t rows) {
  size_t best = kChunks.front();
  for (const size_t c : kChunks)
    if (c <= rows || (c - rows) * 4 <= c) best = c;
  return best;
}

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

using Dims = dnnl::memory::dims;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

struct Primitive {
  dnnl::matmul matmul;
  dnnl::memory::desc a, sums, scratchpad;
};

// Memory that oneDNN's kernels ask for. The caller's own, because by default all executions of a
// primitive share one.
void* scratchpad_of(size_t bytes) {
  constexpr std::align_val_t kPage{4096};
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, kPage); }
  };
  thread_local std::unique_ptr<std::byte, Free> memory;
  thread_local size_t size = 0;
  if (bytes > size) {
    memory.reset();
    size = 0;
    memory.reset(static_cast<std::byte*>(::operator new(bytes, kPage)));
    size = bytes;
  }
  return memory.get();
}

}  // namespace

struct DnnlMatmul::Impl {
  Type operand, sum;
  size_t k, n;
  size_t operand_bytes;
  dnnl::memory weights;
  std::string implementation;
  std::unordered_map<size_t, Primitive> primitives;  // by chunk size

  Dims shape(size_t rows, size_t columns) const {
    return {static_cast<dnnl_dim_t>(rows), static_cast<dnnl_dim_t>(columns)};
  }

  dnnl::matmul::primitive_desc describe(size_t rows, const dnnl::memory::desc& weights_desc) const {
    const dnnl::memory::desc a(shape(rows, k), operand, Tag::ab);
    const dnnl::memory::desc c(shape(rows, n), sum, Tag::ab);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    constexpr bool kAllowEmpty =
        true;  // an empty descriptor, no exception, where there is no kernel
#if DNNL_VERSION_MAJOR >= 3
    return {cpu_engine(), a, weights_desc, c, attributes, kAllowEmpty};
#else
    return {dnnl::matmul::desc(a, weights_desc, c), attributes, cpu_engine(), kAllowEmpty};
#endif
  }

  // All chunk sizes share the layout that the largest one prefers.
  bool prepare(const void* plain) {
    const auto pd = describe(kChunks.back(), dnnl::memory::desc(shape(k, n), operand, Tag::any));
    if (!pd) return false;
    implementation = pd.impl_info_str();
    const dnnl::memory::desc plain_desc(shape(k, n), operand, Tag::ab);
    dnnl::memory from(plain_desc, cpu_engine(), const_cast<void*>(plain));  // only read
    weights = dnnl::memory(pd.weights_desc(), cpu_engine());
    dnnl::stream stream(cpu_engine());
    dnnl::reorder(from, weights).execute(stream, from, weights);
    stream.wait();
    for (const size_t rows : kChunks) {
      const auto chunk = describe(rows, weights.get_desc());
      if (!chunk) return false;
      primitives.emplace(rows, Primitive{dnnl::matmul(chunk), chunk.src_desc(), chunk.dst_desc(),
                                         chunk.scratchpad_desc()});
    }
    return true;
  }

  // The wrappers are made anew each time, a microsecond, so that threads may run at once.
  void execute(dnnl::stream& stream, const Primitive& p, const void* a, void* sums) const {
    const dnnl::memory from(p.a, cpu_engine(), const_cast<void*>(a));  // only read
    const dnnl::memory to(p.sums, cpu_engine(), sums);
    const dnnl::memory scratchpad(p.scratchpad, cpu_engine(),
                                  scratchpad_of(p.scratchpad.get_size()));
    p.matmul.execute(stream, {{DNNL_ARG_SRC, from},
                              {DNNL_ARG_WEIGHTS, weights},
                              {DNNL_ARG_DST, to},
                              {DNNL_ARG_SCRATCHPAD, scratchpad}});
  }
};

DnnlMatmul::DnnlMatmul(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DnnlMatmul::~DnnlMatmul() = default;

std::unique_ptr<DnnlMatmul> DnnlMatmul::create(DotType type, size_t k, size_t n,
                                               const void* weights) {
  const bool int8 = type == DotType::int8;
  try {
    auto impl = std::make_unique<Impl>(Impl{.operand = int8 ? Type::s8 : Type::bf16,
                                            .sum = int8 ? Type::s32 : Type::f32,
                                            .k = k,
                                            .n = n,
                                            .operand_bytes = int8 ? 1u : 2u,
                                            .weights = {},
                                            .implementation = {},
                                            .primitives = {}});
    if (!impl->prepare(weights)) return nullptr;
    return std::unique_ptr<DnnlMatmul>(new DnnlMatmul(std::move(impl)));
  } catch (const dnnl::error&) {
    return nullptr;  // the caller has an exact path of its own, and says which it uses
  }
}

bool DnnlMatmul::run(const void* a, size_t m, void* sums) const noexcept {
  const Impl& i = *impl_;
  try {
    dnnl::stream stream(cpu_engine());
    const auto* from = static_cast<const std::byte*>(a);
    auto* to = static_cast<std::byte*>(sums);
    while (m > 0) {
      const size_t rows = chunk_for(m);
      i.execute(stream, i.primitives.at(rows), from, to);
      from += rows * i.k * i.operand_bytes;
      to += rows * i.n * sizeof(float);  // int32_t has the same size
      m -= std::min(m, rows);
    }
    stream.wait();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

const std::string& DnnlMatmul::implementation() const { return impl_->implementation; }

size_t DnnlMatmul::padded_rows(size_t m) {
  size_t padded = 0;
  while (m > 0) {
    const size_t rows = chunk_for(m);
    padded += rows;
    m -= std::min(m, rows);
  }
  return padded;
}

std::string dnnl_version_text() {
  const dnnl_version_t* v = dnnl_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

}  // namespace fp8q::cpu
