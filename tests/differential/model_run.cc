#include "tests/differential/model_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "encoder/recognize.h"
#include "onnx/load.h"
#include "tests/support/npz.h"

namespace fp8q::test {
namespace {

template <typename T>
std::vector<std::vector<T>> cut(const std::vector<T>& values, const std::vector<int32_t>& offsets) {
  std::vector<std::vector<T>> parts;
  for (size_t i = 0; i + 1 < offsets.size(); ++i)
    parts.emplace_back(values.begin() + offsets[i], values.begin() + offsets[i + 1]);
  return parts;
}

size_t label(const std::vector<float>& logits) {
  return static_cast<size_t>(std::ranges::max_element(logits) - logits.begin());
}

}  // namespace

Reference read_reference(const std::filesystem::path& path) {
  const auto arrays = read_npz(path);
  const auto offsets = arrays.at("offsets").as<int32_t>();
  Reference reference;
  reference.ids = cut(arrays.at("input_ids").as<int32_t>(), offsets);
  reference.type_ids = cut(arrays.at("token_type_ids").as<int32_t>(), offsets);
  const NpyArray& logits = arrays.at("logits");
  const size_t width = logits.shape.size() > 1 ? logits.shape[1] : 1;
  const auto values = logits.as<float>();
  for (size_t i = 0; i < values.size(); i += width)
    reference.logits.emplace_back(values.begin() + static_cast<ptrdiff_t>(i),
                                  values.begin() + static_cast<ptrdiff_t>(i + width));
  return reference;
}

std::vector<size_t> chosen(size_t total, size_t count) {
  const char* full = std::getenv("FP8Q_FULL");
  if ((full && *full == '1') || count > total) count = total;
  std::vector<size_t> indexes;
  for (size_t i = 0; i < count; ++i) indexes.push_back((2 * i + 1) * total / (2 * count));
  return indexes;
}

std::unique_ptr<LoadedModel> load(const std::filesystem::path& path) {
  auto loaded = std::make_unique<LoadedModel>();
  loaded->model = load_model(path);
  auto recognized = recognize_encoder(loaded->model);
  if (auto* reason = std::get_if<NotAnEncoder>(&recognized)) {
    ADD_FAILURE() << path << ": " << reason->reason;
    return nullptr;
  }
  loaded->encoder = std::get<Encoder>(std::move(recognized));
  return loaded;
}

std::vector<std::vector<float>> logits(Engine& engine, const Reference& reference,
                                       const std::vector<size_t>& examples) {
  constexpr size_t kBatch = 32;
  std::vector<std::vector<float>> all;
  for (size_t begin = 0; begin < examples.size(); begin += kBatch) {
    PackedBatch batch;
    for (size_t i = begin; i < std::min(begin + kBatch, examples.size()); ++i)
      batch.append(reference.ids[examples[i]], reference.type_ids[examples[i]]);
    const EngineOutput output = engine.run(batch).front();
    for (auto at = output.values.begin(); at != output.values.end(); at += output.width)
      all.emplace_back(at, at + output.width);
  }
  return all;
}

std::vector<std::vector<float>> engine_logits(const LoadedModel& model, const Reference& reference,
                                              const std::vector<size_t>& examples) {
  return logits(*make_cpu_engine(model.encoder, ComputeType::automatic), reference, examples);
}

std::vector<std::vector<float>> interpreter_logits(const LoadedModel& model,
                                                   const Reference& reference,
                                                   const std::vector<size_t>& examples) {
  return logits(*make_interpreter_engine(model.model, model.encoder.sites), reference, examples);
}

Agreement compare(const std::vector<std::vector<float>>& actual,
                  const std::vector<std::vector<float>>& expected) {
  EXPECT_EQ(actual.size(), expected.size());
  Agreement agreement;
  double squares = 0, differences = 0;
  for (size_t e = 0; e < actual.size(); ++e) {
    agreement.equal_labels += label(actual[e]) == label(expected[e]);
    for (size_t i = 0; i < expected[e].size(); ++i) {
      const double difference = double{actual[e][i]} - double{expected[e][i]};
      differences += difference * difference;
      squares += double{expected[e][i]} * double{expected[e][i]};
      agreement.largest = std::max(agreement.largest, std::abs(difference));
    }
  }
  agreement.equal_labels /= static_cast<double>(actual.size());
  agreement.nmse = differences / squares;
  return agreement;
}

}  // namespace fp8q::test
