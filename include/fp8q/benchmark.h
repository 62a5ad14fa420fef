// Measuring: how fast models run, and how near to what the device can do.
//
// Each cell is a batch size and a sequence length. Within a cell all variants run in turn, again
// and again, so that their ratios come from one stretch of time. A run is what an application sees:
// from packed token ids in memory to outputs in memory. Ids are random; no result depends on them.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

struct BenchmarkOptions {
  std::vector<fs::path> models;  // files or folders, run as they stand; empty: random weights
  // Of the encoder with random weights, made in memory and quantized to each format.
  std::string shape = "bert-base";
  std::vector<std::string> formats = {"fp32", "e4m3", "int8"};

  std::vector<size_t> batches = {1, 8, 32};  // sequences per run
  std::vector<size_t> lengths = {128};       // tokens per sequence
  bool ragged = false;                       // lengths are spread evenly over [length / 4, length]
  size_t repeat = 0;      // timed runs of each variant in a cell; 0: as min_time asks
  double min_time = 0.5;  // seconds of timed runs of each variant in a cell, at least 3 runs
  bool stages = false;    // also measure the parts of the forward pass
  uint64_t seed = 1;
  ExecutionOptions execution;  // `batch` and `reference` have no meaning here
};

// What one unit of arithmetic does at most, measured in the same call.
struct BenchmarkRoof {
  std::string unit;  // "fp32", "bf16", "int8"
  double operations_per_s = 0;
};

struct BenchmarkVariant {
  std::string format;              // "fp32", "bf16", a recipe; of a model, what it was converted to
  std::optional<FileFacts> model;  // none: random weights
  std::string engine;              // one line
  std::string kernel;              // how most of the matrix products' operands enter them, one line
};

// A part of the forward pass, in one run; measured apart from the run's own time.
struct BenchmarkStage {
  std::string stage;
  std::string unit;          // that executes its matrix products; empty: it has none
  double seconds = 0;        // mean of the runs
  double share = 0;          // of the time of all stages, 0..1
  double operations = 0;     // of its matrix products, 2 per multiplication with its addition
  double roof_fraction = 0;  // operations / seconds / roof of its unit; 0: unknown, or no products
};

struct BenchmarkRow {
  size_t variant = 0;  // index in BenchmarkResult::variants
  size_t batch = 0;
  size_t length = 0;
  size_t tokens = 0;  // per run
  size_t runs = 0;
  double median_ms = 0, p10_ms = 0, p90_ms = 0, p99_ms = 0, min_ms = 0;
  double sequences_per_s = 0;  // at the median
  double tokens_per_s = 0;
  double operations = 0;     // of the matrix products of one run; 0: unknown
  std::string unit;          // that executes most of them
  double roof_fraction = 0;  // operations / median / roof of that unit; 0: unknown
  double ratio = 1;          // median of the first variant in this cell / this median
  std::vector<BenchmarkStage> stages;
};

struct BenchmarkResult {
  std::string shape;  // empty: models were given
  bool ragged = false;
  uint64_t seed = 0;
  std::vector<BenchmarkVariant> variants;
  std::vector<BenchmarkRoof> roofs;
  std::vector<BenchmarkRow> rows;  // by length, batch, variant
  ExecutionFacts execution;
  std::vector<std::string> notes;
};

BenchmarkResult benchmark(const BenchmarkOptions& options,
                          const ProgressCallback& progress = nullptr);

std::vector<std::string> benchmark_shape_names();
std::vector<std::string> benchmark_format_names();

}  // namespace fp8q
