// Benchmarks measure how fast models run, and how close they come to what the device can do.
//
// Each cell is a batch size and a sequence length. Within a cell all variants run in turn, again
// and again, so that their ratios come from the same stretch of time. A run covers what an
// application sees, from packed token ids in memory to outputs in memory. The ids are random; no
// result depends on them.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

struct BenchmarkOptions {
  std::vector<fs::path> models;  // files or folders, run as they are; empty: random weights
  // The encoder with random weights has this shape and these formats. It is made in memory and
  // quantized to each format.
  std::string shape = "bert-base";
  std::vector<std::string> formats = {"fp32", "e4m3", "int8"};

  std::vector<size_t> batches = {1, 8, 32};  // sequences per run
  std::vector<size_t> lengths = {128};       // tokens per sequence
  bool ragged = false;                       // spread the lengths evenly over [length / 4, length]
  size_t repeat = 0;      // timed runs of each variant in a cell; 0: until min_time is reached
  double min_time = 0.5;  // seconds of timed runs of each variant in a cell, at least 3 runs
  bool stages = false;    // also measure the parts of the forward pass
  uint64_t seed = 1;
  ExecutionOptions execution;  // `batch` and `reference` are ignored here
};

// Holds the highest rate that one arithmetic unit reached when it was measured in the same call.
struct BenchmarkRoof {
  std::string unit;  // "fp32", "bf16", "int8"
  double operations_per_s = 0;
};

struct BenchmarkVariant {
  // "fp32", "bf16" or a recipe. For a model, this says what it was converted to.
  std::string format;
  std::optional<FileFacts> model;  // empty: random weights
  std::string engine;              // description in one line
  std::string kernel;              // how most operands enter the matrix products, in one line
};

// Describes a part of the forward pass in one run, measured separately from the time of the run
// itself.
struct BenchmarkStage {
  std::string stage;
  std::string unit;          // executes the stage's matrix products; empty: the stage has none
  double seconds = 0;        // mean of the runs
  double share = 0;          // fraction of the time of all stages, 0..1
  double operations = 0;     // in matrix products; a multiplication with its addition counts 2
  double roof_fraction = 0;  // operations / seconds / roof of its unit; 0: unknown, or no products
};

struct BenchmarkRow {
  size_t variant = 0;  // index in BenchmarkResult::variants
  size_t batch = 0;
  size_t length = 0;
  size_t tokens = 0;  // tokens per run
  size_t runs = 0;
  double median_ms = 0, p10_ms = 0, p90_ms = 0, p99_ms = 0, min_ms = 0;
  double sequences_per_s = 0;  // at the median time
  double tokens_per_s = 0;
  double operations = 0;     // in the matrix products of one run; 0: unknown
  std::string unit;          // executes most of the operations
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
  std::vector<BenchmarkRow> rows;  // sorted by length, batch, variant
  ExecutionFacts execution;
  std::vector<std::string> notes;
};

CallFiles files_of(const BenchmarkOptions& options);

BenchmarkResult benchmark(const BenchmarkOptions& options,
                          const ProgressCallback& progress = nullptr);

std::vector<std::string> benchmark_shape_names();
std::vector<std::string> benchmark_format_names();

}  // namespace fp8q
