// Reads models as the program does. Whatever an input holds, it ends in a model or an Error; a
// model is analyzed as every command does, and is the same after it has been written and read.
//
// An input is a serialized ModelProto. One that begins with "tiny:" stands for a tiny encoder,
// whose style is in the bytes that follow.
#include "encoder/recognize.h"
#include "interpreter/abstract.h"
#include "interpreter/interpreter.h"
#include "onnx/load.h"
#include "onnx/save.h"
#include "onnx/upgrade.h"
#include "quantize/detect.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/proto_mutation.h"
#include "tests/fuzz/tiny_style.h"

namespace fp8q::test {
namespace {

constexpr std::string_view kTiny = "tiny:";

std::string model_bytes(std::string_view input) {
  if (!input.starts_with(kTiny)) return std::string(input);
  input.remove_prefix(kTiny.size());
  ByteSource bytes(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  std::string serialized;
  succeeds([&] { serialized = serialize_model(tiny_encoder(style_of(bytes))); });
  return serialized;
}

void check_round_trip(const Model& model) try {
  const std::string bytes = serialize_model(model);
  const Model again = parse_model(bytes, "again.onnx");
  if (const auto difference = first_difference(model, again)) crash(*difference);
  require(serialize_model(again) == bytes, "writing a model a second time gives other bytes");
} catch (const Error& error) {
  crash("a model that was read cannot be written and read again: " + std::string(error.what()));
}

// Each of these may refuse the model for reasons of its own.
void analyze(const Model& model) {
  succeeds([&] { find_quantization(model); });
  succeeds([&] { format_of(model); });
  succeeds([&] { generic_sites(model); });
  succeeds([&] { evaluate_abstractly(model, input_shapes_for(model, 2, 3)); });
  succeeds([&] { recognize_encoder(model); });
  succeeds([&] { Interpreter interpreter(model); });
  succeeds([&] {
    Model upgraded = model;
    upgrade_opset(upgraded);
    check_round_trip(upgraded);
  });
}

}  // namespace
}  // namespace fp8q::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fp8q;
  using namespace fp8q::test;
  const std::string bytes = model_bytes(text_of(data, size));
  std::optional<Model> model;
  succeeds([&] { model = parse_model(bytes, "model.onnx"); });
  if (!model) return 0;
  check_round_trip(*model);
  analyze(*model);
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  using namespace fp8q::test;
  if (seed % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string_view input = text_of(data, size);
  if (input.starts_with(kTiny) && seed % 2 == 0)
    return kTiny.size() +
           LLVMFuzzerMutate(data + kTiny.size(), size - kTiny.size(), max_size - kTiny.size());
  const auto changed = mutated_model(model_bytes(input), seed);
  if (!changed) return LLVMFuzzerMutate(data, size, max_size);
  return replace_input(data, size, max_size, *changed);
}
