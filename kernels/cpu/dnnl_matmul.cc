#include "kernels/cpu/dnnl_matmul.h"

#include <omp.h>

#include <memory>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>

namespace fp8q::cpu {
namespace {

// In the scope of this object, parallel regions that the calling thread opens have one thread, and
// omp_get_max_threads() says so. The setting is the calling thread's own, even inside a parallel
// region.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Returns whether oneDNN's kernel of this name forms its sums by AMX tiles.
bool uses_tiles(std::string_view implementation) {
  return implementation.starts_with("brg:") && implementation.find("amx") != std::string_view::npos;
}

// The caller deals with refusals, but not with lack of memory.
void rethrow_bad_alloc(const dnnl::error& e) {
  if (e.status == dnnl_out_of_memory) throw std::bad_alloc();
}

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

using Dims = dnnl::memory::dims;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

// Returns memory that oneDNN's kernels ask for. It belongs to the calling thread, because by
// default all executions of a primitive share one.
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
  dnnl_dim_t k, n;
  dnnl::memory weights;
  std::string implementation;
  dnnl::matmul matmul;
  dnnl::memory::desc a, sums, scratchpad;

  dnnl::matmul::primitive_desc describe() const {
    const dnnl::memory::desc source(Dims{kRows, k}, operand, Tag::ab);
    const dnnl::memory::desc any_weights(Dims{k, n}, operand, Tag::any);
    const dnnl::memory::desc result(Dims{kRows, n}, sum, Tag::ab);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    // If there is no kernel, oneDNN returns an empty descriptor and throws no exception.
    constexpr bool kAllowEmpty = true;
#if DNNL_VERSION_MAJOR >= 3
    return {cpu_engine(), source, any_weights, result, attributes, kAllowEmpty};
#else
    return {dnnl::matmul::desc(source, any_weights, result), attributes, cpu_engine(), kAllowEmpty};
#endif
  }

  bool prepare(const void* plain, DnnlKernels kernels) {
    const auto pd = describe();
    if (!pd) return false;
    implementation = pd.impl_info_str();
    if (kernels == DnnlKernels::amx && !uses_tiles(implementation)) return false;
    const dnnl::memory::desc plain_desc(Dims{k, n}, operand, Tag::ab);
    dnnl::memory from(plain_desc, cpu_engine(), const_cast<void*>(plain));  // only read
    weights = dnnl::memory(pd.weights_desc(), cpu_engine());
    dnnl::stream stream(cpu_engine());
    dnnl::reorder(from, weights).execute(stream, from, weights);
    stream.wait();
    matmul = dnnl::matmul(pd);
    a = pd.src_desc();
    sums = pd.dst_desc();
    scratchpad = pd.scratchpad_desc();
    return true;
  }

  // The wrappers are made anew each time, which takes a microsecond, so that threads may run at
  // once.
  void execute(const void* from, void* to) const {
    dnnl::stream stream(cpu_engine());
    matmul.execute(
        stream,
        {{DNNL_ARG_SRC, dnnl::memory(a, cpu_engine(), const_cast<void*>(from))},  // only read
         {DNNL_ARG_WEIGHTS, weights},
         {DNNL_ARG_DST, dnnl::memory(sums, cpu_engine(), to)},
         {DNNL_ARG_SCRATCHPAD,
          dnnl::memory(scratchpad, cpu_engine(), scratchpad_of(scratchpad.get_size()))}});
    stream.wait();
  }
};

DnnlMatmul::DnnlMatmul(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DnnlMatmul::~DnnlMatmul() = default;

std::unique_ptr<DnnlMatmul> DnnlMatmul::create(DotType type, size_t k, size_t n,
                                               const void* weights, DnnlKernels kernels) {
  const bool int8 = type == DotType::int8;
  const OneThread one_thread;
  try {
    auto impl = std::make_unique<Impl>();
    impl->operand = int8 ? Type::s8 : Type::bf16;
    impl->sum = int8 ? Type::s32 : Type::f32;
    impl->k = static_cast<dnnl_dim_t>(k);
    impl->n = static_cast<dnnl_dim_t>(n);
    if (!impl->prepare(weights, kernels)) return nullptr;
    return std::unique_ptr<DnnlMatmul>(new DnnlMatmul(std::move(impl)));
  } catch (const dnnl::error& e) {
    rethrow_bad_alloc(e);
    return nullptr;  // the caller has an exact path of its own, and says which it uses
  }
}

bool DnnlMatmul::run(const void* a, void* sums) const {
  const OneThread one_thread;
  try {
    impl_->execute(a, sums);
    return true;
  } catch (const dnnl::error& e) {
    rethrow_bad_alloc(e);
    return false;
  }
}

const std::string& DnnlMatmul::implementation() const { return impl_->implementation; }

std::string dnnl_version_text() {
  const dnnl_version_t* v = dnnl_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

}  // namespace fp8q::cpu
