// Matrix products by oneDNN for CPUs with AMX tiles: BF16 x BF16 -> FP32 and INT8 x INT8 -> INT32.
//
// oneDNN chooses blocking, order of summation and scratch memory by the number of rows and of
// OpenMP threads, when a primitive is created and again when it is executed. So that a row's result
// depends on neither, it only ever sees one of each: a product is of kRows rows, fewer are padded,
// and both steps run on the calling thread alone. Callers divide the work into such products, and
// may call from several threads at once.
//
// INT8 sums are exact with AVX512-VNNI or AMX only: oneDNN's kernels for other CPUs add pairs of
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

// Which of oneDNN's kernels will do: those of the tiles, or, for tests of the calls on any CPU,
// whatever there is.
enum class DnnlKernels { amx, any };

class DnnlMatmul {
 public:
  // One product has this many rows, enough for whole AMX tiles, and few enough that short inputs
  // waste little.
  static constexpr size_t kRows = 32;

  // Weights [k, n] row-major; they are packed into the layout that oneDNN asks for. nullptr where
  // it has no suitable kernel for this CPU, or was told not to use it (ONEDNN_MAX_CPU_ISA).
  static std::unique_ptr<DnnlMatmul> create(DotType type, size_t k, size_t n, const void* weights,
                                            DnnlKernels kernels = DnnlKernels::amx);
  ~DnnlMatmul();

  // `a`: [kRows, k] dense, `sums`: [kRows, n] dense. False where oneDNN refused; throws
  // std::bad_alloc.
  bool run(const void* a, void* sums) const;

  const std::string& implementation() const;  // oneDNN's name of the kernel

 private:
  struct Impl;
  explicit DnnlMatmul(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// "2.6.3"
std::string dnnl_version_text();

}  // namespace fp8q::cpu
