#include "session/bundle.h"

#include <algorithm>
#include <variant>

#include "base/error.h"
#include "base/file.h"
#include "encoder/expand_attention.h"
#include "encoder/recognize.h"
#include "encoder/widen.h"
#include "onnx/load.h"
#include "onnx/upgrade.h"
#include "quantize/detect.h"

namespace fp8q {

namespace {

// Returns the name of a file with a model's weights that is not ONNX, if the folder holds one.
std::string other_weights_in(const fs::path& folder) {
  for (const char* name : {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                           "pytorch_model.bin.index.json", "tf_model.h5"})
    if (is_there(folder / name)) return name;
  return "";
}

}  // namespace

fs::path model_file(const fs::path& location) {
  if (!is_folder(location)) return location;
  for (const char* name : {"model.onnx", "onnx/model.onnx"})
    if (is_there(location / name)) return location / name;
  const std::string shown = printable(location.string());
  if (const std::string other = other_weights_in(location); !other.empty())
    fail(ErrorCode::file,
         "{}: the folder has {} and no ONNX file; make one with `optimum-cli export onnx --model "
         "{} OUT/`, and name OUT/",
         shown, other, shown);
  fail(ErrorCode::file, "{}: the folder has no model.onnx; name the ONNX file itself", shown);
}

Bundle open_model(const fs::path& location) {
  Bundle bundle;
  const fs::path path = model_file(location);
  LoadedModel loaded = load_model_with_files(path);
  bundle.model = std::move(loaded.model);
  bundle.files = std::move(loaded.files);
  bundle.file = bundle.files.facts(path);
  bundle.folder = path.parent_path();
  expand_attention(bundle.model);
  find_sites(bundle);
  return bundle;
}

void find_sites(Bundle& bundle) {
  bundle.encoder.reset();
  auto recognized = recognize_encoder(bundle.model);
  if (auto* encoder = std::get_if<Encoder>(&recognized)) {
    bundle.sites = encoder->sites;
    bundle.encoder = std::move(*encoder);
  } else {
    bundle.not_encoder_reason = std::get<NotAnEncoder>(recognized).reason;
    bundle.sites = generic_sites(bundle.model);
  }
}

void upgrade_for_conversion(Bundle& bundle) {
  upgrade_opset(bundle.model);
  find_sites(bundle);
  find_types(bundle.model, bundle.sites);
}

void require_float_model(const Bundle& bundle) {
  if (const auto found = find_quantization(bundle.model))
    fail(ErrorCode::unsupported, "{}: is already quantized: it {}; start from the float model",
         printable(bundle.file.path.string()), found->description);
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
