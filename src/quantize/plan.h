// The Plan: what every Site and every embedding table gets, with the reason.
//
// A product is quantized only when both its operands are (products.h); a value that enters none by
// what is asked for it alone. Scales follow from the values of weights and from the statistics of
// activations, each by the observer asked for (planner.h). quantize_model() carries the plan out.
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
  SiteKind kind = SiteKind::activation;
  std::vector<Use> uses;        // slots that read the quantized tensor
  std::optional<Use> residual;  // the slot of a residual sum that adds the quantized numbers, too
  bool output = false;          // a graph output, which becomes the quantized tensor
  std::string reason;

  // Of a quantized Site:
  Format format = Format::e4m3;
  Granularity granularity = Granularity::tensor;
  ObserverChoice observer;
  ScaleAxis axis;
  std::vector<float> scales;      // as `axis` says; none where each token has its own
  float absmax = 0;               // what is mapped to the largest code; tokens: 0
  std::optional<double> sqnr_db;  // weights: measured; activations: estimated from the histogram,
                                  // where there is one (tokens: not). Infinite: without error
  int64_t zero_channels = 0;      // channels (or tensors) of zeros, which have scale 1
  uint64_t nonfinite = 0;         // activations seen that were NaN or infinite, and ignored

  // SmoothQuant: an activation is quantized times these factors of its channels, a weight divided
  // by those of the activation it meets. Scales, range and error are those of the results. Empty:
  // none.
  std::vector<float> factors;
  double alpha = 0;                     // activations with factors
  std::optional<int64_t> channel_axis;  // weights with factors

  bool per_token() const { return granularity == Granularity::token; }
  bool quantized() const { return !uses.empty() || output; }  // else the Site stays float
};

enum class TableStorage {
  unchanged,
  float16,         // behind a Cast after the Gather
  quantized_rows,  // INT8 rows with a scale per row, decoded after the Gather
};

// An embedding table: a constant matrix whose rows are looked up by Gather.
struct TablePlan {
  std::string value;            // the matrix, as the Gathers see it
  std::vector<size_t> gathers;  // nodes
  TableStorage storage = TableStorage::unchanged;
  std::string reason;
  std::vector<float> scales;  // quantized_rows: one per row
  float absmax = 0;           // quantized_rows
  std::optional<double> sqnr_db;
  int64_t zero_rows = 0;
};

// Where a converted model comes from; goes into its manifest. The caller knows it.
struct ConversionSource {
  std::string version;  // of fp8q
  std::string model_name;
  std::string model_sha256;
  uint64_t model_bytes = 0;
  std::string statistics_sha256;  // empty: converted without statistics
  friend bool operator==(const ConversionSource&, const ConversionSource&) = default;
};

struct Plan {
  PlanRequest request;  // as it can be fulfilled: what must stay float asks for float
  ConversionSource source;
  std::vector<SitePlan> sites;  // one per Site, in their order
  std::vector<TablePlan> tables;
};

}  // namespace fp8q
