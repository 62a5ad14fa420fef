#include "api/bundle.h"
#include "api/device.h"

#include <algorithm>
#include <variant>

#include "base/error.h"
#include "base/file_bytes.h"
#include "base/hash.h"
#include "encoder/recognise.h"
#include "onnx/load.h"
#include "quantize/detect.h"

namespace fp8q {

fs::path model_file(const fs::path& location) {
  std::error_code ignored;
  if (!fs::is_directory(location, ignored)) return location;
  const fs::path file = location / "model.onnx";
  if (!fs::exists(file, ignored))
    fail(ErrorCode::file, "{}: the folder has no model.onnx; name the ONNX file itself",
         printable(location.string()));
  return file;
}

OpenedModel open_model_file(const fs::path& location) {
  OpenedModel opened;
  opened.file.path = model_file(location);
  opened.bytes = FileBytes::open(opened.file.path, kMaxModelBytes);
  opened.file.sha256 = sha256(opened.bytes->view());
  opened.file.bytes = opened.bytes->view().size();
  opened.bytes->release();
  return opened;
}

Bundle open_model(const fs::path& location) { return open_model(open_model_file(location)); }

Bundle open_model(const OpenedModel& opened) {
  Bundle bundle;
  bundle.file = opened.file;
  bundle.folder = bundle.file.path.parent_path();
  const fs::path folder = bundle.folder.empty() ? fs::path(".") : bundle.folder;
  auto loaded =
      parse_model(opened.bytes, bundle.file.path.string(), {.external_data_folder = folder});
  bundle.model = std::move(loaded.model);
  bundle.files = std::move(loaded.files);
  find_sites(bundle);
  return bundle;
}

void find_sites(Bundle& bundle) {
  bundle.encoder.reset();
  auto recognised = recognise_encoder(bundle.model);
  if (auto* encoder = std::get_if<Encoder>(&recognised)) {
    bundle.sites = encoder->sites;
    bundle.encoder = std::move(*encoder);
  } else {
    bundle.not_encoder_reason = std::get<NotAnEncoder>(recognised).reason;
    bundle.sites = generic_sites(bundle.model);
  }
}

void require_float_model(const Bundle& bundle) {
  if (const auto found = find_quantization(bundle.model))
    fail(ErrorCode::unsupported, "{}: is already quantised: it {}; start from the float model",
         printable(bundle.file.path.string()), found->description);
}

std::unique_ptr<Engine> make_engine(const Bundle& bundle, const ExecutionOptions& execution,
                                    std::vector<std::string>& notes) {
  check_device(execution.device);
  if (execution.gelu != Gelu::of_model && (execution.reference || !bundle.encoder))
    fail(ErrorCode::unsupported,
         "{}: --gelu tanh: the interpreter runs a model as it is written; the option needs a model "
         "recognised as an encoder, and no --reference",
         printable(bundle.file.path.string()));
  if (execution.reference) return make_interpreter_engine(bundle.model, bundle.sites);
  if (bundle.encoder) {
    // Of packed weights the engine has no need again: of the files it reads rows of embeddings.
    const auto release = [&] {
      for (const auto& file : bundle.files) file->release();
    };
    auto engine = make_encoder_engine(*bundle.encoder, execution, notes, release);
    release();
    return engine;
  }
  notes.push_back(
      fmt::format("{} is not recognised as an encoder ({}); it runs through the "
                  "interpreter, which is much slower",
                  bundle.file.path.string(), bundle.not_encoder_reason));
  if (execution.compute == Compute::bf16)
    fail(ErrorCode::unsupported, "{}: --compute bf16 needs a model recognised as an encoder",
         printable(bundle.file.path.string()));
  return make_interpreter_engine(bundle.model, bundle.sites);
}

void check_vocabulary(const Bundle& bundle, int32_t vocab_size, const std::string& tokenizer) {
  if (!bundle.encoder) return;
  const int64_t rows = bundle.encoder->embeddings.word.rows.dim(0);
  if (vocab_size > rows)
    fail(ErrorCode::bad_data,
         "{}: the tokenizer has {} ids, but the word embedding of {} has {} rows; give the model's "
         "own tokenizer with --tokenizer",
         printable(tokenizer), vocab_size, printable(bundle.file.path.string()), rows);
}

size_t usable_length(const Bundle& bundle, size_t asked, std::vector<std::string>& notes) {
  size_t usable = asked;
  const char* limit = "";
  const auto shorten = [&](int64_t length, const char* what) {
    if (length <= 0 || static_cast<size_t>(length) >= usable) return;
    usable = static_cast<size_t>(length);
    limit = what;
  };
  if (bundle.encoder) shorten(bundle.encoder->max_positions, "its position table");
  for (const ValueInfo& input : bundle.model.graph.inputs)
    if (input.has_shape && input.shape.size() == 2)
      shorten(input.shape[1].value, "its fixed shape");
  if (usable < asked)
    notes.push_back(fmt::format("{} takes at most {} tokens ({}); longer examples are cut",
                                bundle.file.path.filename().string(), usable, limit));
  return usable;
}

}  // namespace fp8q
