// libcublasLt, loaded when it is first needed: the program starts and works on CPUs without it.
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

// The library of this process, loaded once. It is looked for in the folder that the environment
// variable FP8Q_CUBLASLT_DIR names and nowhere else if it is set; otherwise where the loader looks,
// then in the toolkit's usual folder. Error(device) says what is missing.
const CublasLt& load_cublaslt();

// The same from the first of `paths` that can be loaded; a name without '/' is searched for by the
// loader.
CublasLt load_cublaslt_from(const std::vector<std::filesystem::path>& paths);

// Error(device), or Error(limit) if memory ran out, unless `status` is success.
void check(const CublasLt& table, cublasStatus_t status, std::string_view step);

}  // namespace fp8q::cuda
