#include "engine/cuda/matmul.h"

#include "base/error.h"
#include "engine/cuda/device_array.h"

namespace fp8q::cuda {
namespace {

// NVIDIA recommends this size for Hopper (cuBLAS manual, cublasSetWorkspace). It is enough
// everywhere.
constexpr size_t kWorkspaceBytes = size_t{32} << 20;
// Applies to every operand; the library assumes 256 unless it is told.
constexpr uint32_t kPointerAlignment = 16;

bool is_fast(const MatmulShape& shape) { return shape.fast_accumulation && is_fp8(shape.weights); }

std::string_view name(OperandType type) {
  const auto format = format_of(type);
  return format ? info(*format).name : "bf16";
}

const char* name(SumType type) {
  switch (type) {
    case SumType::bf16:
      return "bf16";
    case SumType::f32:
      return "f32";
    case SumType::i32:
      return "i32";
  }
  return "";
}

struct OperandTypeInfo {
  cudaDataType_t data_type;
  int64_t multiple;  // n and k must be multiples of it
};
constexpr OperandTypeInfo kOperandTypeInfos[] = {
#define FP8Q_OPERAND_TYPE(id, format, data_type, multiple) {data_type, multiple},
#include "kernels/cuda/operand_types.def"
#undef FP8Q_OPERAND_TYPE
};
const OperandTypeInfo& row_of(OperandType type) {
  return kOperandTypeInfos[static_cast<size_t>(type)];
}

cudaDataType_t data_type(SumType type) {
  switch (type) {
    case SumType::bf16:
      return CUDA_R_16BF;
    case SumType::f32:
      return CUDA_R_32F;
    case SumType::i32:
      return CUDA_R_32I;
  }
  return CUDA_R_16BF;
}

bool aligned(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % kPointerAlignment == 0;
}

}  // namespace

std::string describe(const MatmulShape& s) {
  const char* finish = s.finish == Finish::gelu         ? " gelu"
                       : s.finish == Finish::scaled_sum ? " scaled"
                                                        : "";
  return fmt::format("{} x {} x {} {} * {} -> {}{}{}", s.tokens, s.n, s.k, name(s.weights),
                     name(s.x), name(s.sums), is_fast(s) ? " fast" : "", finish);
}

std::optional<std::string> unsupported_reason(const MatmulShape& s, int capability) {
  const bool fp8 = is_fp8(s.weights), integers = is_integer(s.weights);
  if (s.tokens <= 0 || s.n <= 0 || s.k <= 0) return "the product is empty";
  if (fp8 != is_fp8(s.x) || (!fp8 && s.weights != s.x))
    return fmt::format("there are no products of {} and {}", name(s.weights), name(s.x));
  if (s.weights == OperandType::e5m2 && s.x == OperandType::e5m2)
    return "there are no products of e5m2 and e5m2";
  if (fp8 && capability < 89)
    return fmt::format("FP8 products need compute capability 8.9, the device has {}.{}",
                       capability / 10, capability % 10);
  if (integers != (s.sums == SumType::i32))
    return fmt::format("sums of {} products cannot be {}", name(s.weights), name(s.sums));
  if (s.finish == Finish::scaled_sum && !(fp8 && capability == 90))
    return "scales per channel need FP8 products and compute capability 9.0";
  if (s.finish == Finish::gelu && s.sums != SumType::bf16) return "GELU needs BF16 for its bias";
  const int64_t multiple = row_of(s.weights).multiple;
  if (s.n % multiple != 0 || s.k % multiple != 0)
    return fmt::format("n = {} and k = {} must be multiples of {} for {}", s.n, s.k, multiple,
                       name(s.weights));
  return std::nullopt;
}

MatmulContext::MatmulContext(const CublasLt& table, const DeviceInfo& device)
    : table_(table),
      device_(device),
      handle_(nullptr, table.Destroy),
      workspace_(kWorkspaceBytes, "the workspace of matrix products") {
  cublasLtHandle_t handle = nullptr;
  check(table, table.Create(&handle), "starting cuBLASLt");
  handle_.reset(handle);
}

size_t MatmulContext::workspace_bytes() const { return kWorkspaceBytes; }

Matmul::Matmul(const MatmulContext& context, const MatmulShape& shape,
               const MatmulConstants& constants)
    : context_(context),
      shape_(shape),
      operation_(nullptr, context.table().MatmulDescDestroy),
      weights_(nullptr, context.table().MatrixLayoutDestroy),
      x_(nullptr, context.table().MatrixLayoutDestroy),
      sums_(nullptr, context.table().MatrixLayoutDestroy),
      addend_(nullptr, context.table().MatrixLayoutDestroy) {
  if (const auto reason = unsupported_reason(shape, context.device().capability()))
    fail(ErrorCode::unsupported, "matrix product {}: {}", describe(shape), *reason);
  const bool integers = shape.sums == SumType::i32;
  cublasLtMatmulDesc_t operation = nullptr;
  check(context.table(),
        context.table().MatmulDescCreate(&operation,
                                         integers ? CUBLAS_COMPUTE_32I : CUBLAS_COMPUTE_32F,
                                         integers ? CUDA_R_32I : CUDA_R_32F),
        describe(shape));
  operation_.reset(operation);
  set(CUBLASLT_MATMUL_DESC_TRANSA, int32_t{CUBLAS_OP_T});
  set(CUBLASLT_MATMUL_DESC_TRANSB, int32_t{CUBLAS_OP_N});
  if (is_fast(shape)) set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, int8_t{1});
  weights_ = layout(row_of(shape.weights).data_type, shape.k, shape.n);
  x_ = layout(row_of(shape.x).data_type, shape.k, shape.tokens);
  sums_ = layout(data_type(shape.sums), shape.n, shape.tokens);
  set_finish(constants);
}

void Matmul::set_finish(const MatmulConstants& constants) {
  const bool fp8 = is_fp8(shape_.weights);
  if (shape_.finish == Finish::scaled_sum) {
    token_scales_ = upload(std::vector<float>(static_cast<size_t>(shape_.tokens), 1.0f), "scales");
    set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, int32_t{CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F});
    set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, int32_t{CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F});
    set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, static_cast<const void*>(constants.scale));
    set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, static_cast<const void*>(token_scales_.data()));
  }
  if (shape_.finish != Finish::gelu) return;
  set(CUBLASLT_MATMUL_DESC_EPILOGUE, uint32_t{CUBLASLT_EPILOGUE_GELU_BIAS});
  set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(constants.bias));
  set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, int32_t{CUDA_R_16BF});
  if (!fp8) return;
  set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, static_cast<const void*>(constants.scale));
  set(CUBLASLT_MATMUL_DESC_D_SCALE_POINTER, static_cast<const void*>(constants.inverse_step));
  addend_ = std::move(sums_);
  sums_ = layout(CUDA_R_8F_E4M3, shape_.n, shape_.tokens);
}

template <typename T>
void Matmul::set(cublasLtMatmulDescAttributes_t attribute, T value) {
  const CublasLt& table = context_.table();
  check(table, table.MatmulDescSetAttribute(operation_.get(), attribute, &value, sizeof value),
        describe(shape_));
}

// Returns a layout with dense columns.
Matmul::Layout Matmul::layout(cudaDataType_t type, int64_t rows, int64_t columns) const {
  const CublasLt& table = context_.table();
  cublasLtMatrixLayout_t result = nullptr;
  check(table,
        table.MatrixLayoutCreate(&result, type, static_cast<uint64_t>(rows),
                                 static_cast<uint64_t>(columns), rows),
        describe(shape_));
  return {result, table.MatrixLayoutDestroy};
}

std::vector<Matmul::Algorithm> Matmul::candidates(int count) const {
  // Parts of a sum that is split along k are added in FP32 (or INT32), never rounded to BF16. Some
  // versions then have no algorithm left for some products; a result rounded once more is better
  // than none.
  auto found = candidates(count, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
  return found.empty() ? candidates(count, CUBLASLT_REDUCTION_SCHEME_MASK) : found;
}

std::vector<Matmul::Algorithm> Matmul::candidates(int count, uint32_t reductions) const {
  const CublasLt& table = context_.table();
  cublasLtMatmulPreference_t raw = nullptr;
  check(table, table.MatmulPreferenceCreate(&raw), describe(shape_));
  const Descriptor<cublasLtMatmulPreferenceOpaque_t> preference(raw, table.MatmulPreferenceDestroy);
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
    check(table, table.MatmulPreferenceSetAttribute(raw, attribute, &value, sizeof value),
          describe(shape_));
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t{context_.workspace_bytes()});
  prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions);
  for (const auto operand :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
    prefer(operand, kPointerAlignment);

  std::vector<cublasLtMatmulHeuristicResult_t> results(static_cast<size_t>(count));
  int found = 0;
  const cublasStatus_t status =
      table.MatmulAlgoGetHeuristic(context_.handle(), operation_.get(), weights_.get(), x_.get(),
                                   addend(), sums_.get(), raw, count, results.data(), &found);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return {};
  check(table, status, describe(shape_));
  std::vector<Algorithm> algorithms;
  for (int i = 0; i < found; ++i) {
    const auto& result = results[static_cast<size_t>(i)];
    if (result.state == CUBLAS_STATUS_SUCCESS) algorithms.push_back(result.algo);
  }
  return algorithms;
}

bool Matmul::accepts(const Algorithm& algorithm) const {
  cublasLtMatmulHeuristicResult_t result{};
  const cublasStatus_t status =
      context_.table().MatmulAlgoCheck(context_.handle(), operation_.get(), weights_.get(),
                                       x_.get(), addend(), sums_.get(), &algorithm, &result);
  return status == CUBLAS_STATUS_SUCCESS && result.workspaceSize <= context_.workspace_bytes();
}

void Matmul::run(const MatmulOperands& operands, Stream stream) const {
  FP8Q_ASSERT(algorithm_);
  const cublasStatus_t status = submit(operands, *algorithm_, stream);
  if (status != CUBLAS_STATUS_SUCCESS)
    check(context_.table(), status, "matrix product " + describe(shape_));
}

bool Matmul::try_run(const MatmulOperands& operands, const Algorithm& algorithm,
                     Stream stream) const {
  return submit(operands, algorithm, stream) == CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t Matmul::submit(const MatmulOperands& operands, const Algorithm& algorithm,
                              Stream stream) const {
  FP8Q_ASSERT(aligned(operands.weights) && aligned(operands.x) && aligned(operands.sums));
  // The factors have the scale type: alpha = 1 and beta = 0, so C is not read.
  struct Factors {
    const void *alpha, *beta;
  };
  static constexpr float kOne = 1, kZero = 0;
  static constexpr int32_t kIntegerOne = 1, kIntegerZero = 0;
  const Factors factors =
      shape_.sums == SumType::i32 ? Factors{&kIntegerOne, &kIntegerZero} : Factors{&kOne, &kZero};
  return context_.table().Matmul(context_.handle(), operation_.get(), factors.alpha,
                                 operands.weights, weights_.get(), operands.x, x_.get(),
                                 factors.beta, addend_ ? nullptr : operands.sums, addend(),
                                 operands.sums, sums_.get(), &algorithm, context_.workspace(),
                                 context_.workspace_bytes(), stream);
}

}  // namespace fp8q::cuda
