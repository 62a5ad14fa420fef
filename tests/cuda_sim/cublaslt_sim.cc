#include "tests/cuda_sim/cublaslt_sim.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "tests/cuda_sim/device_sim.h"
#include "tests/cuda_sim/matmul_reference.h"

struct cublasLtContext {};

namespace fp8q::sim {
namespace {

constexpr size_t kVersion = CUBLAS_VERSION;

struct Injection {
  cublasStatus_t status;
  int after;
};

struct Library {
  CublasLtCalls calls;
  std::vector<FakeAlgorithm> algorithms;
  size_t version = kVersion;
  std::map<std::string, Injection> injections;

  void restore() {
    calls = {.live = calls.live};
    algorithms = {{.id = 1, .microseconds = 30}, {.id = 2, .microseconds = 20}, {.id = 3}};
    version = kVersion;
    injections.clear();
  }
};

Library& library() {
  static Library the_library = [] {
    Library l;
    l.restore();
    return l;
  }();
  return the_library;
}

cublasStatus_t injected(const std::string& function) {
  auto& injections = library().injections;
  const auto found = injections.find(function);
  if (found == injections.end() || found->second.after-- > 0) return CUBLAS_STATUS_SUCCESS;
  const cublasStatus_t status = found->second.status;
  injections.erase(found);
  return status;
}

// Puts our values behind the opaque types of the header.
template <typename Opaque, typename Value>
struct Described : Opaque {
  Value value;
};
using Operation = Described<cublasLtMatmulDescOpaque_t, MatmulDescriptor>;
using Layout = Described<cublasLtMatrixLayoutOpaque_t, MatrixLayout>;
using Preferences = std::map<cublasLtMatmulPreferenceAttributes_t, uint64_t>;
using Preference = Described<cublasLtMatmulPreferenceOpaque_t, Preferences>;

template <typename T, typename Handle, typename Value>
cublasStatus_t create(const char* function, Handle* handle, Value value) {
  if (const auto status = injected(function); status != CUBLAS_STATUS_SUCCESS) return status;
  auto* made = new T;
  made->value = std::move(value);
  *handle = made;
  ++library().calls.live;
  return CUBLAS_STATUS_SUCCESS;
}

template <typename T, typename Handle>
cublasStatus_t destroy(Handle handle) {
  delete static_cast<T*>(handle);
  --library().calls.live;
  return CUBLAS_STATUS_SUCCESS;
}

// Stores an attribute if its size is the documented one.
template <typename Attributes, typename Attribute>
cublasStatus_t store(Attributes& attributes, Attribute attribute, const void* value, size_t bytes,
                     size_t documented) {
  if (!value || bytes != documented) return CUBLAS_STATUS_INVALID_VALUE;
  uint64_t bits = 0;
  std::memcpy(&bits, value, bytes);  // little endian
  attributes[attribute] = bits;
  return CUBLAS_STATUS_SUCCESS;
}

size_t documented_bytes(cublasLtMatmulDescAttributes_t attribute) {
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_FAST_ACCUM:
      return 1;
    case CUBLASLT_MATMUL_DESC_COMPUTE_TYPE:
    case CUBLASLT_MATMUL_DESC_SCALE_TYPE:
    case CUBLASLT_MATMUL_DESC_POINTER_MODE:
    case CUBLASLT_MATMUL_DESC_TRANSA:
    case CUBLASLT_MATMUL_DESC_TRANSB:
    case CUBLASLT_MATMUL_DESC_TRANSC:
    case CUBLASLT_MATMUL_DESC_FILL_MODE:
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
    case CUBLASLT_MATMUL_DESC_SM_COUNT_TARGET:
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
    case CUBLASLT_MATMUL_DESC_A_SCALE_MODE:
    case CUBLASLT_MATMUL_DESC_B_SCALE_MODE:
      return 4;
    default:
      return 8;  // pointers and strides
  }
}

size_t documented_bytes(cublasLtMatmulPreferenceAttributes_t attribute) {
  return attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES ||
                 attribute == CUBLASLT_MATMUL_PREF_IMPL_MASK
             ? 8
             : 4;
}

constexpr uint64_t kMagic = 0x66703871'73696d31;

// Every word counts, so that a cache file that loses one is noticed.
uint64_t word(int id, size_t i) {
  return i == 0
             ? kMagic
             : std::rotl(static_cast<uint64_t>(id) * 0x9E3779B97F4A7C15, static_cast<int>(7 * i)) +
                   i;
}

const FakeAlgorithm* find(const cublasLtMatmulAlgo_t& algorithm) {
  for (const FakeAlgorithm& a : library().algorithms) {
    const cublasLtMatmulAlgo_t expected = opaque(a.id);
    if (std::memcmp(&algorithm, &expected, sizeof expected) == 0) return &a;
  }
  return nullptr;
}

MatmulProblem problem_of(cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
                         cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                         cublasLtMatrixLayout_t d) {
  const auto layout = [](cublasLtMatrixLayout_t l) { return static_cast<Layout*>(l)->value; };
  return {static_cast<Operation*>(operation)->value, layout(a), layout(b), layout(c), layout(d)};
}

bool is_fp8(cudaDataType_t type) { return type == CUDA_R_8F_E4M3 || type == CUDA_R_8F_E5M2; }

size_t size_of(cudaDataType_t type) {
  switch (type) {
    case CUDA_R_32F:
    case CUDA_R_32I:
      return 4;
    case CUDA_R_16BF:
      return 2;
    default:
      return 1;
  }
}

bool leading_dimensions_are_multiples(const MatmulProblem& p, size_t bytes) {
  const MatrixLayout all[] = {p.a, p.b, p.c, p.d};
  return std::all_of(std::begin(all), std::end(all), [&](const MatrixLayout& l) {
    return static_cast<size_t>(l.leading_dimension) * size_of(l.type) % bytes == 0;
  });
}

// Returns whether the layouts fit a product of A stored k x m and B stored k x n, as this
// simulation computes it.
bool consistent(const MatmulProblem& p) {
  const auto dense = [](const MatrixLayout& l) {
    return l.leading_dimension >= static_cast<int64_t>(l.rows) && l.rows > 0 && l.columns > 0;
  };
  return dense(p.a) && dense(p.b) && dense(p.c) && dense(p.d) && p.a.rows == p.b.rows &&
         p.d.rows == p.a.columns && p.d.columns == p.b.columns && p.c.rows == p.d.rows &&
         p.c.columns == p.d.columns;
}

bool has_channel_scales(const MatmulProblem& p) {
  constexpr uint64_t kOuter = CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F;
  return p.operation.get(CUBLASLT_MATMUL_DESC_A_SCALE_MODE) == kOuter &&
         p.operation.get(CUBLASLT_MATMUL_DESC_B_SCALE_MODE) == kOuter &&
         p.operation.get(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER) != 0 &&
         p.operation.get(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER) != 0;
}

bool has_gelu(const MatmulProblem& p) {
  return p.operation.get(CUBLASLT_MATMUL_DESC_EPILOGUE) == CUBLASLT_EPILOGUE_GELU_BIAS;
}

bool gelu_supported(const MatmulProblem& p) {
  const auto& o = p.operation;
  const bool bias = o.get(CUBLASLT_MATMUL_DESC_BIAS_POINTER) != 0 &&
                    o.get(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE) == CUDA_R_16BF;
  return bias && p.c.type == CUDA_R_16BF &&
         (p.d.type == CUDA_R_16BF || (p.d.type == CUDA_R_8F_E4M3 && is_fp8(p.a.type)));
}

// Returns whether the manual's tables of cublasLtMatmul list the problem, as far as fp8q's operand
// types go.
bool supported(const MatmulProblem& p) {
  const bool tn = p.operation.get(CUBLASLT_MATMUL_DESC_TRANSA) == CUBLAS_OP_T &&
                  p.operation.get(CUBLASLT_MATMUL_DESC_TRANSB) == CUBLAS_OP_N;
  const bool gelu = has_gelu(p);
  const bool to_fp8 = p.d.type == CUDA_R_8F_E4M3;
  if (!tn || (gelu ? !gelu_supported(p)
                   : p.operation.get(CUBLASLT_MATMUL_DESC_EPILOGUE) != CUBLASLT_EPILOGUE_DEFAULT))
    return false;  // others are not simulated
  if (p.c.type != (to_fp8 ? CUDA_R_16BF : p.d.type)) return false;
  const bool floats = p.operation.compute == CUBLAS_COMPUTE_32F && p.operation.scale == CUDA_R_32F;
  const bool float_sums = p.d.type == CUDA_R_16BF || p.d.type == CUDA_R_32F;
  const DeviceModel& gpu = device().model;
  if (has_channel_scales(p)) {
    if (!is_fp8(p.a.type) || !float_sums || 10 * gpu.major + gpu.minor != 90) return false;
  }
  if (is_fp8(p.a.type)) {
    return is_fp8(p.b.type) && !(p.a.type == CUDA_R_8F_E5M2 && p.b.type == CUDA_R_8F_E5M2) &&
           floats && (float_sums || to_fp8) && p.a.rows % 16 == 0 && p.a.columns % 16 == 0 &&
           leading_dimensions_are_multiples(p, 16) && 10 * gpu.major + gpu.minor >= 89;
  }
  if (p.a.type == CUDA_R_8I)
    return p.b.type == CUDA_R_8I && p.operation.compute == CUBLAS_COMPUTE_32I &&
           p.operation.scale == CUDA_R_32I && p.d.type == CUDA_R_32I && p.a.rows % 4 == 0 &&
           p.a.columns % 4 == 0 && leading_dimensions_are_multiples(p, 4);
  return p.a.type == CUDA_R_16BF && p.b.type == CUDA_R_16BF && floats && float_sums;
}

cublasStatus_t refusal(const MatmulProblem& p) {
  if (!consistent(p)) return CUBLAS_STATUS_INVALID_VALUE;
  return supported(p) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

double factor(const MatmulProblem& p, const void* host) {
  if (p.operation.scale == CUDA_R_32I) return *static_cast<const int32_t*>(host);
  return static_cast<double>(*static_cast<const float*>(host));
}

bool aligned(const void* pointer, size_t bytes) {
  return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

cublasStatus_t refusal(const MatmulCall& call, const FakeAlgorithm& algorithm) {
  const size_t alignment = call.problem.a.type == CUDA_R_8I ? 4 : 16;
  // C is not read if beta is 0, and must not be D if their types differ.
  const bool c_is_d = call.problem.c.type == call.problem.d.type;
  if (c_is_d ? call.c != call.d : call.c != nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  for (const void* operand : {call.a, call.b, static_cast<const void*>(call.d)})
    if (!operand || !aligned(operand, alignment)) return CUBLAS_STATUS_INVALID_VALUE;
  if (call.workspace_bytes < algorithm.workspace_bytes || !aligned(call.workspace, 256) ||
      call.beta != 0)
    return CUBLAS_STATUS_INVALID_VALUE;
  const bool captures = call.stream && call.stream->capturing;
  return captures && algorithm.captured != CUBLAS_STATUS_SUCCESS ? algorithm.captured
                                                                 : algorithm.run;
}

// These are the functions of the table.

cublasStatus_t lt_create(cublasLtHandle_t* handle) {
  if (const auto status = injected("Create"); status != CUBLAS_STATUS_SUCCESS) return status;
  *handle = new cublasLtContext;
  ++library().calls.live;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t lt_destroy(cublasLtHandle_t handle) {
  delete handle;
  --library().calls.live;
  return CUBLAS_STATUS_SUCCESS;
}

size_t version() { return library().version; }

const char* status_string(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "the functionality requested is not supported";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "an unsupported value or parameter was passed";
    default:
      return "a status of the simulation";
  }
}

cublasStatus_t desc_create(cublasLtMatmulDesc_t* desc, cublasComputeType_t compute,
                           cudaDataType_t scale) {
  return create<Operation>("MatmulDescCreate", desc, MatmulDescriptor{compute, scale, {}});
}

cublasStatus_t desc_set(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t attribute,
                        const void* value, size_t bytes) {
  if (const auto s = injected("MatmulDescSetAttribute"); s != CUBLAS_STATUS_SUCCESS) return s;
  return store(static_cast<Operation*>(desc)->value.attributes, attribute, value, bytes,
               documented_bytes(attribute));
}

cublasStatus_t layout_create(cublasLtMatrixLayout_t* layout, cudaDataType_t type, uint64_t rows,
                             uint64_t columns, int64_t leading_dimension) {
  return create<Layout>("MatrixLayoutCreate", layout,
                        MatrixLayout{type, rows, columns, leading_dimension});
}

cublasStatus_t preference_create(cublasLtMatmulPreference_t* preference) {
  return create<Preference>("MatmulPreferenceCreate", preference, Preferences{});
}

cublasStatus_t preference_set(cublasLtMatmulPreference_t preference,
                              cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                              size_t bytes) {
  if (const auto s = injected("MatmulPreferenceSetAttribute"); s != CUBLAS_STATUS_SUCCESS) return s;
  return store(static_cast<Preference*>(preference)->value, attribute, value, bytes,
               documented_bytes(attribute));
}

cublasStatus_t get_heuristic(cublasLtHandle_t, cublasLtMatmulDesc_t operation,
                             cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                             cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                             cublasLtMatmulPreference_t preference, int requested,
                             cublasLtMatmulHeuristicResult_t* results, int* found) {
  *found = 0;
  if (const auto s = injected("MatmulAlgoGetHeuristic"); s != CUBLAS_STATUS_SUCCESS) return s;
  if (requested <= 0) return CUBLAS_STATUS_INVALID_VALUE;
  const MatmulProblem problem = problem_of(operation, a, b, c, d);
  Preferences preferences = static_cast<Preference*>(preference)->value;
  library().calls.heuristics.push_back({problem, preferences, requested});
  if (const auto s = refusal(problem); s != CUBLAS_STATUS_SUCCESS) return s;
  for (const FakeAlgorithm& algorithm : library().algorithms) {
    if (*found == requested) break;
    if (algorithm.workspace_bytes > preferences[CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES]) continue;
    cublasLtMatmulHeuristicResult_t result{};
    result.state = algorithm.heuristic;
    result.algo = opaque(algorithm.id);
    result.workspaceSize = algorithm.workspace_bytes;
    results[(*found)++] = result;
  }
  return *found > 0 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

cublasStatus_t algo_check(cublasLtHandle_t, cublasLtMatmulDesc_t operation,
                          cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                          cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                          const cublasLtMatmulAlgo_t* algorithm,
                          cublasLtMatmulHeuristicResult_t* result) {
  if (const auto s = injected("MatmulAlgoCheck"); s != CUBLAS_STATUS_SUCCESS) return s;
  const MatmulProblem problem = problem_of(operation, a, b, c, d);
  library().calls.checks.push_back(problem);
  const FakeAlgorithm* known = find(*algorithm);
  if (!known) return CUBLAS_STATUS_INVALID_VALUE;
  if (const auto s = refusal(problem); s != CUBLAS_STATUS_SUCCESS) return s;
  result->workspaceSize = known->workspace_bytes;
  result->state = known->check;
  return known->check;
}

cublasStatus_t lt_matmul(cublasLtHandle_t, cublasLtMatmulDesc_t operation, const void* alpha,
                         const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                         cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                         cublasLtMatrixLayout_t c_layout, void* d, cublasLtMatrixLayout_t d_layout,
                         const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                         size_t workspace_bytes, cudaStream_t stream) {
  if (const auto s = injected("Matmul"); s != CUBLAS_STATUS_SUCCESS) return s;
  MatmulCall call = {.problem = problem_of(operation, a_layout, b_layout, c_layout, d_layout),
                     .a = a,
                     .b = b,
                     .c = c,
                     .d = d,
                     .workspace = workspace,
                     .workspace_bytes = workspace_bytes,
                     .stream = stream};
  if (const auto s = refusal(call.problem); s != CUBLAS_STATUS_SUCCESS) return s;
  call.alpha = factor(call.problem, alpha);
  call.beta = factor(call.problem, beta);
  const FakeAlgorithm* chosen = algorithm ? find(*algorithm) : &library().algorithms.at(0);
  if (!chosen) return CUBLAS_STATUS_INVALID_VALUE;
  if (algorithm) call.algorithm = chosen->id;
  library().calls.matmuls.push_back(call);
  if (const auto s = refusal(call, *chosen); s != CUBLAS_STATUS_SUCCESS) {
    if (stream) stream->spoiled = true;  // a capture that an algorithm broke off is lost
    return s;
  }
  double time = chosen->microseconds;
  if (has_channel_scales(call.problem) && chosen->scaled_microseconds > 0)
    time = chosen->scaled_microseconds;
  if (has_gelu(call.problem) && chosen->gelu_microseconds > 0) time = chosen->gelu_microseconds;
  const cudaError_t error = submit(stream, [call, time] {
    multiply(call);
    take_microseconds(time);
  });
  return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // namespace

const cuda::CublasLt& cublaslt() {
  static const cuda::CublasLt table = {
      .Create = lt_create,
      .Destroy = lt_destroy,
      .GetVersion = version,
      .GetStatusString = status_string,
      .MatmulDescCreate = desc_create,
      .MatmulDescDestroy = [](cublasLtMatmulDesc_t d) { return destroy<Operation>(d); },
      .MatmulDescSetAttribute = desc_set,
      .MatrixLayoutCreate = layout_create,
      .MatrixLayoutDestroy = [](cublasLtMatrixLayout_t l) { return destroy<Layout>(l); },
      .MatmulPreferenceCreate = preference_create,
      .MatmulPreferenceDestroy =
          [](cublasLtMatmulPreference_t p) { return destroy<Preference>(p); },
      .MatmulPreferenceSetAttribute = preference_set,
      .MatmulAlgoGetHeuristic = get_heuristic,
      .MatmulAlgoCheck = algo_check,
      .Matmul = lt_matmul,
  };
  return table;
}

uint64_t MatmulDescriptor::get(cublasLtMatmulDescAttributes_t attribute) const {
  const auto found = attributes.find(attribute);
  if (found != attributes.end()) return found->second;
  return attribute == CUBLASLT_MATMUL_DESC_EPILOGUE ? uint64_t{CUBLASLT_EPILOGUE_DEFAULT} : 0;
}

const CublasLtCalls& cublaslt_calls() { return library().calls; }

void set_algorithms(std::vector<FakeAlgorithm> algorithms) {
  library().algorithms = std::move(algorithms);
}

cublasLtMatmulAlgo_t opaque(int id) {
  cublasLtMatmulAlgo_t algorithm;
  for (size_t i = 0; i < std::size(algorithm.data); ++i) algorithm.data[i] = word(id, i);
  return algorithm;
}

void set_cublaslt_version(size_t version_number) { library().version = version_number; }

void fail_next_cublaslt(const std::string& function, cublasStatus_t status, int after) {
  library().injections[function] = {status, after};
}

size_t reset_cublaslt() {
  library().restore();
  return library().calls.live;
}

}  // namespace fp8q::sim
