#include "engine/cuda/cublaslt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/cuda_sim/cublaslt_sim.h"
#include "tests/support/paths.h"
#include "tests/unit/engine_cuda/engine_cuda_testing.h"

namespace fp8q::cuda {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(CublasLtLibrary, SaysWhatIsMissingAndWhatToDo) {
  const auto [code, message] = raised_by([] {
    load_cublaslt_from({"/nonexistent/libcublasLt.so.13", "libnone.so.13"});
  });
  EXPECT_EQ(code, ErrorCode::device);
  EXPECT_THAT(message,
              AllOf(HasSubstr("/nonexistent/libcublasLt.so.13"), HasSubstr("libnone.so.13"),
                    HasSubstr("install cuBLAS"), HasSubstr("FP8Q_CUBLASLT_DIR")));
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(CublasLtLibrary, RefusesWhatIsNoLibrary) {
  const test::TemporaryFolder folder;
  const auto path = folder.write("libcublasLt.so.13", "text");
  EXPECT_EQ(raised_by([&] { load_cublaslt_from({path}); }).first, ErrorCode::device);
}

TEST(CublasLtLibrary, NamesTheFunctionThatALibraryLacks) {
  const auto [code, message] = raised_by([] { load_cublaslt_from({"libm.so.6"}); });
  EXPECT_EQ(code, ErrorCode::device);
  EXPECT_THAT(message, AllOf(HasSubstr("libm.so.6"), HasSubstr("cublasLtCreate")));
}

// This runs before the next test because a loaded library stays loaded.
TEST(CublasLtLibrary, IsLookedForInTheNamedFolderOnly) {
  setenv("FP8Q_CUBLASLT_DIR", "/nonexistent", 1);
  EXPECT_THAT(raised_by([] { load_cublaslt(); }).second,
              HasSubstr("/nonexistent/libcublasLt.so.13"));
  unsetenv("FP8Q_CUBLASLT_DIR");
}

TEST(CublasLtLibrary, LoadsTheInstalledOne) {
  const CublasLt* table = nullptr;
  try {
    table = &load_cublaslt();
  } catch (const Error& e) {
    GTEST_SKIP() << e.what();
  }
  EXPECT_EQ(table->GetVersion() / 10000, size_t{CUBLAS_VER_MAJOR});
  EXPECT_EQ(&load_cublaslt(), table);
  // Descriptors need no GPU.
  cublasLtMatmulDesc_t description = nullptr;
  ASSERT_EQ(table->MatmulDescCreate(&description, CUBLAS_COMPUTE_32F, CUDA_R_32F),
            CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(table->MatmulDescDestroy(description), CUBLAS_STATUS_SUCCESS);
}

TEST(CublasLtStatus, BecomesAnError) {
  const CublasLt& table = sim::cublaslt();
  EXPECT_NO_THROW(check(table, CUBLAS_STATUS_SUCCESS, "step"));
  const auto [code, message] =
      raised_by([&] { check(table, CUBLAS_STATUS_NOT_SUPPORTED, "layer 3"); });
  EXPECT_EQ(code, ErrorCode::device);
  EXPECT_THAT(message, AllOf(HasSubstr("layer 3"), HasSubstr("not supported"), HasSubstr("15")));
  EXPECT_EQ(raised_by([&] { check(table, CUBLAS_STATUS_ALLOC_FAILED, "step"); }).first,
            ErrorCode::limit);
}

}  // namespace
}  // namespace fp8q::cuda
