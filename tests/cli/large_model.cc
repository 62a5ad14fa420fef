#include "tests/cli/large_model.h"

#include "onnx/save.h"
#include "tests/support/paths.h"
#include "unit/encoder/tiny_encoder.h"

namespace fp8q::test {

namespace fs = std::filesystem;

uint64_t LargeModel::weight_bytes() const {
  return static_cast<uint64_t>(layers * (4 * hidden * hidden + 2 * hidden * inner)) * sizeof(float);
}

void write_large_model(const LargeModel& shape, const fs::path& folder) {
  constexpr int64_t kHeadSize = 64, kVocabulary = 8192;  // the demo model's
  Style style;
  style.layers = shape.layers;
  style.hidden = shape.hidden;
  style.heads = shape.hidden / kHeadSize;
  style.ffn = shape.inner;
  style.vocabulary = kVocabulary;
  style.positions = 128;
  style.labels = 2;
  save_model(tiny_encoder(style), folder / "model.onnx",
             {.max_proto_bytes = shape.max_proto_bytes});
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "config.json"})
    fs::copy(source_dir() / "models/demo-sst2" / name, folder / name);
}

}  // namespace fp8q::test
