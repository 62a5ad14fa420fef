#include "session/make_engine.h"

#include "base/error.h"
#include "session/device.h"
#include "session/masked_id_engine.h"

namespace fp8q {

std::unique_ptr<Engine> make_engine(const Bundle& bundle, const ExecutionOptions& execution,
                                    std::vector<std::string>& notes) {
  check_device(execution.device);
  if (execution.gelu != Gelu::of_model && (execution.reference || !bundle.encoder))
    fail(ErrorCode::unsupported,
         "{}: --gelu tanh: the interpreter runs a model as it is written; the option needs a model "
         "recognized as an encoder, and no --reference",
         printable(bundle.file.path.string()));
  if (execution.reference) return make_interpreter_engine(bundle.model, bundle.sites);
  if (bundle.encoder) {
    // The engine does not need packed weights in the files again. It reads only rows of embeddings
    // from them.
    const auto release = [&] { bundle.files.release(); };
    auto engine = make_encoder_engine(*bundle.encoder, execution, notes, release);
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
  return make_interpreter_engine(bundle.model, bundle.sites);
}

}  // namespace fp8q
