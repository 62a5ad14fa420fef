// The Plan says what every Site and every embedding table gets, with the reason.
//
// A product is quantized only when both its operands are (products.h). A value that enters no
// product is quantized if its own request asks for it. Scales follow from the values of weights and
// from the statistics of activations, each by the requested observer (planner.h). quantize_model()
// carries the plan out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quantize/request.h"
#include "quantize/weights.h"

namespace fp8q {

struct SitePlan {
  std::string path;
  std::string value;
  DType dtype = DType::f32;  // of the value
  SiteKind kind = SiteKind::activation;
  std::vector<Use> uses;        // slots that read the quantized tensor
  std::optional<Use> residual;  // the slot of a residual sum that also adds the quantized numbers
  bool output = false;          // a graph output, which becomes the quantized tensor
  std::string reason;

  // The members below apply to a quantized Site only.
  Format format = Format::e4m3;
  Granularity granularity = Granularity::tensor;
  ObserverChoice observer;
  ScaleAxis axis;
  std::vector<float> scales;  // as `axis` says; empty if each token has its own scale
  float absmax = 0;           // magnitude of the largest code; tokens: 0
  // The SQNR is measured for weights. It is estimated from the histogram for activations, but not
  // for scales per token. It is infinite if there is no error.
  std::optional<double> sqnr_db;
  int64_t zero_channels = 0;  // channels (or tensors) that hold only zeros; their scale is 1
  uint64_t nonfinite = 0;     // number of NaN or infinite activations seen, which are ignored

  // SmoothQuant multiplies an activation by these factors of its channels before it is quantized,
  // and divides a weight by the factors of the activation it meets. Scales, range and error are
  // those of the results. The list is empty without smoothing.
  std::vector<float> factors;
  double alpha = 0;                     // set for activations with factors
  std::optional<int64_t> channel_axis;  // set for weights with factors

  bool per_token() const { return granularity == Granularity::token; }
  // Returns whether a value of 16 bits is rounded as FP32: with factors it may leave the range of
  // 16 bits, and scales found at run time need more precision.
  bool widened() const {
    return dtype != DType::f32 && kind == SiteKind::activation && (per_token() || !factors.empty());
  }
  DType scale_dtype() const { return widened() ? DType::f32 : dtype; }
  bool quantized() const { return !uses.empty() || output; }  // else the Site stays float
};

enum class TableStorage {
  unchanged,
  float16,         // widened by a Cast after the Gather
  quantized_rows,  // INT8 rows with a scale per row, decoded after the Gather
};

// Describes an embedding table: a constant matrix whose rows are looked up by Gather.
struct TablePlan {
  std::string value;            // the matrix, as the Gathers see it
  DType dtype = DType::f32;     // of that matrix
  std::vector<size_t> gathers;  // indices of the nodes
  TableStorage storage = TableStorage::unchanged;
  std::string reason;
  std::vector<float> scales;  // quantized_rows: one per row
  float absmax = 0;           // quantized_rows
  std::optional<double> sqnr_db;
  int64_t zero_rows = 0;
};

// Says where a converted model comes from. It goes into the manifest and is given by the caller.
struct ConversionSource {
  std::string version;  // version of fp8q
  std::string model_name;
  std::string model_sha256;
  uint64_t model_bytes = 0;
  std::string statistics_sha256;  // empty: converted without statistics
  friend bool operator==(const ConversionSource&, const ConversionSource&) = default;
};

struct Plan {
  PlanRequest request;  // as fulfilled: Sites that must stay float ask for float
  ConversionSource source;
  std::vector<SitePlan> sites;  // one per Site, in their order
  std::vector<TablePlan> tables;
};

}  // namespace fp8q
