// Matrix products by oneDNN for CPUs with dot-product instructions: BF16 x BF16 -> FP32 and
// INT8 x INT8 -> INT32.
//
// The weights are packed once, into the layout that oneDNN asks for. Rows are processed in chunks
// of few sizes, so that the number of primitives stays small and a row's result does not depend on
// how many rows there are (oneDNN's AVX-512 kernels are row-invariant; a test keeps it so). A call
// uses oneDNN's threads (OpenMP), or only the caller's where that is one of a parallel region;
// several threads may call at once.
//
// INT8 sums are exact with AVX512-VNNI only: oneDNN's AVX2 kernels add pairs of products with
// saturation in 16 bits.
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

class DnnlMatmul {
 public:
  // Weights [k, n] row-major. nullptr where oneDNN has no primitive for this CPU.
  static std::unique_ptr<DnnlMatmul> create(DotType type, size_t k, size_t n, const void* weights);
  ~DnnlMatmul();

  // `a`: [m, k] dense, `sums`: [m, n] dense; both with room for padded_rows(m) rows, of which those
  // beyond m are read and written but mean nothing. False where oneDNN refused.
  bool run(const void* a, size_t m, void* sums) const noexcept;

  const std::string& implementation() const;  // oneDNN's name of the kernel

  static size_t padded_rows(size_t m);

 private:
  struct Impl;
  explicit DnnlMatmul(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// "2.6.3"
std::string dnnl_version_text();

}  // namespace fp8q::cpu
