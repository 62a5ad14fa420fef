// Makes BERTs of any size with random weights, as files.
#pragma once

#include <cstdint>
#include <filesystem>

namespace fp8q::test {

struct LargeModel {
  int64_t layers = 4, hidden = 512, inner = 2048;
  // A larger ONNX file keeps its weights in a second one.
  uint64_t max_proto_bytes = (uint64_t{1} << 31) - 1;

  uint64_t weight_bytes() const;  // of the matrices of all layers, in FP32
};

// Writes model.onnx and the tokenizer and config of the demo model into a folder, which must exist.
// The model and its weights are in memory meanwhile.
void write_large_model(const LargeModel& shape, const std::filesystem::path& folder);

}  // namespace fp8q::test
