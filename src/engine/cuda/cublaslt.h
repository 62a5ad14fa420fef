// Loads libcublasLt when it is first needed. The program starts and works on CPUs without it.
//
// Everything that calls cuBLASLt takes the table of its functions as a reference, so that tests can
// pass another one (tests/cuda_sim).
#pragma once

#include <cublasLt.h>

#include <filesystem>
#include <string_view>
#include <vector>

namespace fp8q::cuda {

struct CublasLt {
#define FP8Q_CUBLASLT(name) decltype(&cublasLt##name) name = nullptr;
#include "engine/cuda/cublaslt.def"
#undef FP8Q_CUBLASLT
};

// Returns the library of this process, which is loaded once. If the environment variable
// FP8Q_CUBLASLT_DIR is set, only the folder that it names is searched. Otherwise the library is
// looked for where the loader looks, then in the toolkit's usual folder. Throws an Error (device)
// that says what is missing.
const CublasLt& load_cublaslt();

// Loads the library from the first of `paths` that can be loaded. The loader searches for a name
// without '/'.
CublasLt load_cublaslt_from(const std::vector<std::filesystem::path>& paths);

// Throws an Error (device), or an Error (limit) if memory ran out, unless `status` is success.
void check(const CublasLt& table, cublasStatus_t status, std::string_view step);

}  // namespace fp8q::cuda
