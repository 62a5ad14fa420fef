#include "fp8q/compare.h"

#include "api/option_checks.h"
#include "base/error.h"
#include "calibrate/observer.h"
#include "evaluate/text_batches.h"
#include "graph/site_names.h"
#include "quantize/detect.h"
#include "session/calibration_text.h"
#include "session/execution.h"
#include "session/make_engine.h"
#include "session/outputs.h"
#include "study/site_comparison.h"
#include "text/encodings.h"

namespace fp8q {
namespace {

double share(uint64_t count, uint64_t of) {
  return of == 0 ? 0 : static_cast<double>(count) / static_cast<double>(of);
}

ComparedSite compared(const Site& a, const Site& b, const SiteError& found) {
  const TensorError& e = found.error;
  ComparedSite site{.path = a.path,
                    .kind = std::string(name_of(a.kind)),
                    .role = role_in_path(a.path),
                    .layer = a.layer,
                    .format_a = format_name(a),
                    .format_b = format_name(b),
                    .values = e.values,
                    .nonfinite = e.nonfinite,
                    .sqnr_db = decibels(e.signal, e.noise),
                    .cosine = e.cosine(),
                    .max_error = e.largest,
                    .rounding_sqnr_db = {}};
  if (!b.quantization) return site;
  if (b.kind == SiteKind::activation)
    site.rounding_sqnr_db = decibels(found.rounding.signal, found.rounding.noise);
  site.saturated = share(found.saturated, e.values);
  site.underflowed = share(found.underflowed, e.values);
  return site;
}

ComparedOutput compared(const OutputError& found) {
  ComparedOutput output{.name = found.name,
                        .max_error = found.numbers.largest,
                        .nmse = found.numbers.nmse(),
                        .cosine = found.numbers.cosine(),
                        .decisions = {}};
  if (found.meaning != OutputMeaning::numbers)
    output.decisions = {found.decisions, found.kl_mean(), found.kl_max, found.agreement()};
  return output;
}

void add_sites(const SiteComparison& comparison, CompareResult& result) {
  uint64_t values = 0, saturated = 0, underflowed = 0;
  for (size_t p = 0; p < comparison.size(); ++p) {
    const SiteError& e = comparison.error(p);
    const Site& b = comparison.site_b(p);
    result.sites.push_back(compared(comparison.site_a(p), b, e));
    if (b.kind != SiteKind::activation || !b.quantization) continue;
    values += e.error.values;
    saturated += e.saturated;
    underflowed += e.underflowed;
  }
  result.saturated = share(saturated, values);
  result.underflowed = share(underflowed, values);
}

// Both models must run through the interpreter, or neither, because engines may lay out the
// operands of attention differently.
ExecutionOptions common_execution(ExecutionOptions execution, const Bundle& a, const Bundle& b,
                                  std::vector<std::string>& notes) {
  if (a.encoder.has_value() == b.encoder.has_value() || execution.reference) return execution;
  const Bundle& other = a.encoder ? b : a;
  notes.push_back(fmt::format(
      "{} is not recognized as an encoder ({}); both run through the interpreter, which is slow",
      other.file.path.string(), other.not_encoder_reason));
  execution.reference = true;
  return execution;
}

}  // namespace

CallFiles files_of(const CompareOptions& options) {
  CallFiles files{files_of_model(options.a, {options.tokenizer, options.config}), {}};
  append(files.inputs, files_of_model(options.b));
  append(files.inputs, files_of_data(options.task));
  return files;
}

CompareResult compare(const CompareOptions& options, const ProgressCallback& progress) {
  const Stopwatch watch;
  require_at_least("--batch", options.execution.batch, 1);
  require_at_least("--examples", options.examples, 1);
  CompareResult result;
  const Bundle a = open_model(options.a), b = open_model(options.b);
  SiteComparison comparison({a.file.path.string(), a.model, a.sites},
                            {b.file.path.string(), b.model, b.sites});
  const CalibrationText text = calibration_text({.tokenizer = options.tokenizer,
                                                 .config = options.config,
                                                 .task = options.task,
                                                 .examples = options.examples,
                                                 .random_seed = {}},
                                                a, result.notes);
  comparison.compare_weights();
  const ExecutionOptions execution = common_execution(options.execution, a, b, result.notes);
  Workload workload = workload_of(text.encodings, execution.batch);
  workload.watching = Watching::observer;
  // The values at all Sites of a batch are kept, in vectors that grow to twice their size.
  if (a.encoder) workload.kept_of_token = 2 * site_bytes_of_token(*a.encoder, workload.longest);
  workload.batch = fitting_batch(a, execution, workload);
  const auto engine_a = make_engine(a, execution, result.notes, workload);
  workload.batch = fitting_batch(b, execution, workload);
  const auto engine_b = make_engine(b, execution, result.notes, workload);
  OutputErrors outputs(a.encoder ? &*a.encoder : nullptr);
  size_t done = 0;
  for (const PackedBatch& batch : batches_of(text.encodings, workload.batch)) {
    comparison.compare_batch(*engine_a, *engine_b, batch, outputs);
    done += batch.sequences();
    if (progress) progress("comparing", done, text.encodings.size());
  }
  comparison.take_counts(engine_b->rounding());

  result.a = a.file;
  result.b = b.file;
  result.format_a = format_of(a.model);
  result.format_b = format_of(b.model);
  result.data = text.facts;
  result.task = text.task;
  result.examples = text.encodings.size();
  result.tokens = count_tokens(text.encodings);
  add_sites(comparison, result);
  for (const OutputError& output : outputs.outputs()) result.outputs.push_back(compared(output));
  result.execution = with_costs(execution_on(*engine_b), watch);
  return result;
}

}  // namespace fp8q
