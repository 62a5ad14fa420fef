#include "session/bundle.h"

#include <algorithm>
#include <variant>

#include "base/error.h"
#include "base/file_bytes.h"
#include "base/hash.h"
#include "encoder/expand_attention.h"
#include "encoder/recognize.h"
#include "encoder/widen.h"
#include "onnx/load.h"
#include "onnx/upgrade.h"
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
