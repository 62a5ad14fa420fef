#include "tests/unit/study/tiny_model.h"

#include <random>
#include <variant>

#include "encoder/recognize.h"
#include "onnx/upgrade.h"
#include "tests/unit/encoder/tiny_encoder.h"

namespace fp8q::test {

TinyModel::TinyModel() : model(tiny_encoder({.opset = 18})) {
  upgrade_opset(model);
  encoder = recognized_encoder(model);
  std::vector<int> record_of(encoder.sites.size(), -1);
  for (size_t s = 0; s < encoder.sites.size(); ++s)
    if (encoder.sites[s].kind == SiteKind::activation) {
      record_of[s] = static_cast<int>(statistics.sites.size());
      statistics.sites.push_back({encoder.sites[s].value, encoder.sites[s].path, {}});
    }
  make_cpu_engine(encoder, ComputeType::fp32)
      ->run(tiny_words(), [&](int site, std::span<const float> values, int64_t) {
        statistics.sites[static_cast<size_t>(record_of[static_cast<size_t>(site)])]
            .statistics.observe(values, 0, 0);
      });
}

PackedBatch tiny_words() {
  PackedBatch batch;
  std::mt19937_64 random(4);
  for (const size_t length : {9u, 4u, 12u}) {
    std::vector<int32_t> ids(length), types(length);
    for (size_t t = 0; t < length; ++t) {
      ids[t] = static_cast<int32_t>(random() % 60);
      types[t] = t > length / 2;
    }
    batch.append(ids, types);
  }
  return batch;
}

Encoder recognized_encoder(const Model& model) {
  auto found = recognize_encoder(model);
  return std::get<Encoder>(std::move(found));
}

}  // namespace fp8q::test
