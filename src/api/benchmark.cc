#include "fp8q/benchmark.h"

#include <algorithm>
#include <limits>
#include <map>

#include "api/option_checks.h"
#include "base/error.h"
#include "encoder/random_encoder.h"
#include "quantize/detect.h"
#include "quantize/recipe.h"
#include "session/bundle.h"
#include "session/device.h"
#include "session/execution.h"
#include "session/make_engine.h"
#include "session/outputs.h"
#include "study/bench_rows.h"

namespace fp8q {
namespace {

// Holds what is measured: an engine, and the encoder it was made from.
struct Variant {
  BenchmarkVariant facts;
  std::unique_ptr<Bundle> bundle;
  std::unique_ptr<Engine> engine;
};

// Returns the most frequent way in which linear layers are multiplied. Each has one weight.
std::string main_kernel(const Engine& engine) {
  std::map<std::string, size_t> count;
  for (const KernelChoice& k : engine.kernels())
    if (k.path.ends_with("/weight")) ++count[k.effective];
  const auto most = std::ranges::max_element(count, {}, [](const auto& c) { return c.second; });
  return most == count.end() ? "" : most->first;
}

// Describes the largest batch that is measured.
Workload workload_of(const BenchmarkOptions& options) {
  return {.batch = std::ranges::max(options.batches), .longest = std::ranges::max(options.lengths)};
}

Variant make_variant(std::string format, Bundle bundle, const ExecutionOptions& execution,
                     const Workload& workload, std::vector<std::string>& notes) {
  Variant v;
  v.bundle = std::make_unique<Bundle>(std::move(bundle));
  v.engine = make_engine(*v.bundle, execution, notes, workload);
  v.facts = {std::move(format), {}, v.engine->description(), main_kernel(*v.engine)};
  return v;
}

[[noreturn]] void too_long(size_t length, const std::string& what, size_t most) {
  fail(ErrorCode::usage, "--length {}: {} takes at most {} tokens", length, what, most);
}

Variant model_variant(const fs::path& path, const BenchmarkOptions& options,
                      std::vector<std::string>& notes) {
  Bundle bundle = open_model(path);
  const FileFacts file = bundle.file;
  if (!bundle.encoder)
    fail(ErrorCode::unsupported, "{}: bench needs a model recognized as an encoder: {}",
         printable(file.path.string()), bundle.not_encoder_reason);
  for (const size_t length : options.lengths) {
    std::vector<std::string> shortened;
    const size_t most = usable_length(bundle, length, shortened);
    if (most < length) too_long(length, printable(file.path.string()), most);
  }
  std::string format = format_of(bundle.model);
  if (format == "fp32" && options.execution.compute == Compute::bf16) format = "bf16";
  Variant v = make_variant(std::move(format), std::move(bundle), options.execution,
                           workload_of(options), notes);
  v.facts.model = file;
  return v;
}

const RandomShape& shape_of(const BenchmarkOptions& options) {
  const RandomShape* shape = random_shape_named(options.shape);
  if (!shape)
    fail(ErrorCode::usage, "--shape {}: is none of {}", printable(options.shape),
         fmt::join(benchmark_shape_names(), ", "));
  return *shape;
}

std::vector<Variant> random_variants(const BenchmarkOptions& options,
                                     const ProgressCallback& progress,
                                     std::vector<std::string>& notes) {
  const auto tell = [&](size_t done) {
    if (progress) progress("making encoders", done, options.formats.size());
  };
  tell(0);
  const Encoder encoder = random_encoder(shape_of(options), options.seed);
  std::vector<float> absmax;  // measured if a format needs it
  std::vector<Variant> variants;
  for (const std::string& format : options.formats) {
    Bundle bundle;
    ExecutionOptions execution = options.execution;
    if (const Recipe* recipe = recipe_named(format)) {
      if (absmax.empty()) absmax = observed_absmax(encoder, options.seed);
      bundle.encoder = quantized_encoder(encoder, *recipe, absmax);
    } else {
      bundle.encoder = encoder;
      execution.compute = format == "bf16" ? Compute::bf16 : Compute::fp32;
    }
    bundle.sites = bundle.encoder->sites;
    variants.push_back(
        make_variant(format, std::move(bundle), execution, workload_of(options), notes));
    tell(variants.size());
  }
  return variants;
}

std::vector<Variant> make_variants(const BenchmarkOptions& options,
                                   const ProgressCallback& progress,
                                   std::vector<std::string>& notes) {
  if (options.models.empty()) return random_variants(options, progress, notes);
  std::vector<Variant> variants;
  for (const fs::path& model : options.models)
    variants.push_back(model_variant(model, options, notes));
  return variants;
}

void check_options(const BenchmarkOptions& options) {
  check_device(options.execution.device);
  for (const size_t batch : options.batches) require_at_least("--batch", batch, 1);
  for (const size_t length : options.lengths) require_at_least("--length", length, 1);
  if (options.batches.empty() || options.lengths.empty())
    fail(ErrorCode::usage, "nothing to measure: give at least one --batch and one --length");
  if (!options.models.empty()) return;
  const auto most = static_cast<size_t>(shape_of(options).positions);
  for (const size_t length : options.lengths)
    if (length > most) too_long(length, options.shape, most);
  if (options.formats.empty()) fail(ErrorCode::usage, "nothing to measure: give a --format");
  const auto known = benchmark_format_names();
  for (const std::string& format : options.formats) {
    if (std::ranges::find(known, format) == known.end())
      fail(ErrorCode::usage, "--format {}: is none of {}", printable(format),
           fmt::join(known, ", "));
    if (format == "fp32" && options.execution.compute == Compute::bf16)
      fail(ErrorCode::usage, "--compute bf16 contradicts --format fp32; use --format bf16");
  }
}

int64_t smallest_vocabulary(const std::vector<Variant>& variants) {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const Variant& v : variants)
    least = std::min(least, v.bundle->encoder->embeddings.word.rows.dim(0));
  return least;
}

// Returns a row for each variant in every cell of the grid.
std::vector<BenchmarkRow> measured_rows(const std::vector<Variant>& variants,
                                        const BenchmarkOptions& options,
                                        const ProgressCallback& progress) {
  std::vector<Engine*> engines;
  for (const Variant& v : variants) engines.push_back(v.engine.get());
  const int64_t vocabulary = smallest_vocabulary(variants);
  std::vector<int32_t> excluded;
  for (const Variant& v : variants)
    std::ranges::copy(excluded_ids(*v.bundle->encoder), std::back_inserter(excluded));
  const size_t cells = options.lengths.size() * options.batches.size();
  size_t done = 0;
  std::vector<BenchmarkRow> rows;
  for (const size_t length : options.lengths)
    for (const size_t batch : options.batches) {
      if (progress) progress("measuring", done, cells);
      for (BenchmarkRow& row : measure_cell(
               engines,
               {.batch = {batch, length, vocabulary, options.ragged, options.seed, excluded},
               .rule = {options.repeat, options.min_time},
               .stages = options.stages}))
        rows.push_back(std::move(row));
      if (progress) progress("measuring", ++done, cells);
    }
  return rows;
}

}  // namespace

CallFiles files_of(const BenchmarkOptions& options) {
  CallFiles files;
  for (const fs::path& model : options.models) append(files.inputs, files_of_model(model));
  return files;
}

BenchmarkResult benchmark(const BenchmarkOptions& given, const ProgressCallback& progress) {
  const Stopwatch watch;
  check_options(given);
  BenchmarkOptions options = given;
  // Only the CPU computes products in FP32, and compared variants have to run on one device.
  if (options.execution.device == "auto" && options.models.empty() &&
      std::ranges::find(options.formats, "fp32") != options.formats.end())
    options.execution.device = "cpu";
  BenchmarkResult result;
  if (options.models.empty()) result.shape = options.shape;
  result.ragged = options.ragged;
  result.seed = options.seed;
  const std::vector<Variant> variants = make_variants(options, progress, result.notes);
  for (const Variant& v : variants) result.variants.push_back(v.facts);

  Engine& engine = *variants.front().engine;
  keep_best(engine.roofs(), result.roofs);
  result.rows = measured_rows(variants, options, progress);
  keep_best(engine.roofs(), result.roofs);
  add_roof_fractions(result.roofs, result.rows);
  result.execution = with_costs(execution_on(engine), watch);
  return result;
}

std::vector<std::string> benchmark_shape_names() {
  std::vector<std::string> names;
  for (const RandomShape& shape : random_shapes()) names.emplace_back(shape.name);
  return names;
}

std::vector<std::string> benchmark_format_names() {
  std::vector<std::string> names = {"fp32", "bf16"};
  for (const Recipe& recipe : all_recipes()) names.emplace_back(recipe.name);
  return names;
}

}  // namespace fp8q
