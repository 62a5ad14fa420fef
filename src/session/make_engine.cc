#include "session/make_engine.h"

#include "base/error.h"
#include "session/device.h"
#include "session/masked_id_engine.h"

namespace fp8q {
namespace {

// A model that was made in memory has no path.
std::string name_of(const Bundle& bundle) {
  return bundle.file.path.empty() ? "the model" : printable(bundle.file.path.string());
}

std::unique_ptr<Engine> interpreter_for(const Bundle& bundle, const Workload& workload) {
  plan_interpreter(bundle.model, workload, name_of(bundle));
  return make_interpreter_engine(bundle.model, bundle.sites);
}

}  // namespace

std::unique_ptr<Engine> make_engine(const Bundle& bundle, const ExecutionOptions& execution,
                                    std::vector<std::string>& notes, const Workload& workload) {
  check_device(execution.device);
  if (execution.gelu != Gelu::of_model && (execution.reference || !bundle.encoder))
    fail(ErrorCode::unsupported,
         "{}: --gelu tanh: the interpreter runs a model as it is written; the option needs a model "
         "recognized as an encoder, and no --reference",
         printable(bundle.file.path.string()));
  if (execution.reference) return interpreter_for(bundle, workload);
  if (bundle.encoder) {
    // The engine does not need packed weights in the files again. It reads only rows of embeddings
    // from them.
    const auto release = [&] { bundle.files.release(); };
    auto engine = make_encoder_engine(*bundle.encoder, execution, notes,
                                      {name_of(bundle), workload, release});
    release();
    return bundle.encoder->masked_id ? with_masked_id(bundle, std::move(engine))
                                     : std::move(engine);
  }
  notes.push_back(
      fmt::format("{} is not recognized as an encoder ({}); it runs through the "
                  "interpreter, which is much slower",
                  bundle.file.path.string(), bundle.not_encoder_reason));
  if (execution.compute == Compute::bf16)
    fail(ErrorCode::unsupported, "{}: --compute bf16 needs a model recognized as an encoder",
         printable(bundle.file.path.string()));
  return interpreter_for(bundle, workload);
}

size_t fitting_batch(const Bundle& bundle, const ExecutionOptions& execution,
                     const Workload& workload) {
  // The interpreter runs one sequence after another, and a GPU has memory of its own.
  if (!bundle.encoder || execution.reference || !runs_on_cpu(execution)) return workload.batch;
  return fitting_batch(*bundle.encoder, compute_type(execution), workload);
}

}  // namespace fp8q
