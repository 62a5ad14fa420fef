#include "engine/cuda/cublaslt.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "base/error.h"
#include "engine/cuda/runtime.h"

namespace fp8q::cuda {
namespace {

namespace fs = std::filesystem;

// Only the headers' major version is loaded. cuBLASLt promises a stable interface within one, and
// an older library would meet types and attributes (CUBLASLT_MATMUL_DESC_*) that it was not tested
// with.
constexpr const char* kLibrary = "libcublasLt.so.13";
constexpr const char* kToolkitFolder = "/usr/local/cuda/lib64";
constexpr const char* kFolderVariable = "FP8Q_CUBLASLT_DIR";

std::vector<fs::path> usual_paths() {
  if (const char* folder = std::getenv(kFolderVariable); folder && *folder)
    return {fs::path(folder) / kLibrary};
  return {kLibrary, fs::path(kToolkitFolder) / kLibrary};
}

std::string loader_message() {
  const char* message = dlerror();
  return printable(message ? message : "unknown error");
}

void* function_named(void* library, const char* name, const fs::path& path) {
  void* function = dlsym(library, name);
  if (!function)
    fail(ErrorCode::device,
         "{} lacks {}: install cuBLAS of CUDA 13.0 or later, or name its folder in {}",
         printable(path.string()), name, kFolderVariable);
  return function;
}

}  // namespace

CublasLt load_cublaslt_from(const std::vector<fs::path>& paths) {
  std::string reasons;
  for (const fs::path& path : paths) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed
    if (!library) {
      reasons += (reasons.empty() ? "" : "; ") + loader_message();
      continue;
    }
    CublasLt table;
#define FP8Q_CUBLASLT(name) \
  table.name =              \
      reinterpret_cast<decltype(table.name)>(function_named(library, "cublasLt" #name, path));
#include "engine/cuda/cublaslt.def"
#undef FP8Q_CUBLASLT
    return table;
  }
  fail(ErrorCode::device,
       "the GPU engine needs {}, which cannot be loaded ({}): install cuBLAS of CUDA 13, or name "
       "its folder in the environment variable {}",
       kLibrary, reasons, kFolderVariable);
}

const CublasLt& load_cublaslt() {
  static const CublasLt table = load_cublaslt_from(usual_paths());
  return table;
}

void check(const CublasLt& table, cublasStatus_t status, std::string_view step) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  if (status == CUBLAS_STATUS_ALLOC_FAILED)
    fail(ErrorCode::limit, "{}: cuBLASLt ran out of memory; end other programs on the GPU", step);
  check(cudaGetLastError(), step);  // says more if the GPU, not the library, is the reason
  fail(ErrorCode::device, "{}: cuBLASLt reports \"{}\" (status {})", step,
       table.GetStatusString(status), static_cast<int>(status));
}

}  // namespace fp8q::cuda
