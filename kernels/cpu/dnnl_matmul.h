// Forms matrix products by oneDNN for CPUs with AMX tiles: BF16 x BF16 -> FP32 and INT8 x INT8 ->
// INT32.
//
// oneDNN chooses blocking, order of summation and scratch memory by the number of rows and of
// OpenMP threads, when a primitive is created and again when it is executed. A row's result must
// depend on neither, so oneDNN only ever sees one of each. A product has kRows rows (fewer are
// padded), and both steps run on the calling thread alone. Callers divide the work into such
// products, and may call from several threads at once.
//
// INT8 sums are exact only with AVX512-VNNI or AMX: oneDNN's kernels for other CPUs add pairs of
// products with saturation in 16 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace fp8q::cpu {

enum class DotType {
  bf16,  // source and weights uint16_t (bits), sums float
  int8,  // source and weights int8_t, sums int32_t
};

// Says which of oneDNN's kernels will do: those of the AMX tiles, or any kernel (for tests of the
// calls on any CPU).
enum class DnnlKernels { amx, any };

class DnnlMatmul {
 public:
  // A product has this many rows: enough for whole AMX tiles, and few enough that short inputs
  // waste little.
  static constexpr size_t kRows = 32;

  // `weights` are [k, n], row-major. They are packed into the layout that oneDNN asks for. Returns
  // nullptr if oneDNN has no suitable kernel for this CPU, or was told not to use it
  // (ONEDNN_MAX_CPU_ISA).
  static std::unique_ptr<DnnlMatmul> create(DotType type, size_t k, size_t n, const void* weights,
                                            DnnlKernels kernels = DnnlKernels::amx);
  ~DnnlMatmul();

  // `a` is [kRows, k], dense; `sums` is [kRows, n], dense. Returns false if oneDNN refused; throws
  // std::bad_alloc.
  bool run(const void* a, void* sums) const;

  const std::string& implementation() const;  // oneDNN's name of the kernel

 private:
  struct Impl;
  explicit DnnlMatmul(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Returns a version such as "2.6.3".
std::string dnnl_version_text();

}  // namespace fp8q::cpu
