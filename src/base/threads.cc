#include "base/threads.h"

#include <omp.h>

#include <exception>

namespace fp8q {

int set_threads(int threads) {
  // An explicit count is used exactly as requested: OpenMP must not shrink it under load.
  omp_set_dynamic(0);
  omp_set_num_threads(threads > 0 ? threads : omp_get_num_procs());
  return omp_get_max_threads();
}

int threads() { return omp_get_max_threads(); }

void parallel_for(size_t count, const std::function<void(size_t)>& body) {
  std::exception_ptr error;
  size_t error_index = count;
#pragma omp parallel for schedule(dynamic, 1)
  for (size_t i = 0; i < count; ++i) {
    try {
      body(i);
    } catch (...) {
#pragma omp critical(fp8q_parallel_for_error)
      if (i < error_index) {
        error_index = i;
        error = std::current_exception();
      }
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace fp8q
