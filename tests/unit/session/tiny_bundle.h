// Opens a tiny encoder as commands open models, with a vocabulary beside it.
#pragma once

#include <algorithm>
#include <string>

#include "session/bundle.h"
#include "tests/support/paths.h"
#include "tests/unit/encoder/tiny_encoder.h"

namespace fp8q::test {

// Returns `words` words "wa", "wb", ... with the ids from 4.
inline std::string vocabulary(size_t words = 26) {
  std::string lines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n";
  for (size_t w = 0; w < words; ++w)
    lines +=
        std::string("w") + static_cast<char>('a' + w / 26) + static_cast<char>('a' + w % 26) + "\n";
  return lines;
}

struct TinyBundle : Bundle {
  TemporaryFolder files;

  explicit TinyBundle(const Style& style = {.opset = 18, .labels = 2}) {
    file = {files.path() / "model.onnx", std::string(64, 'a'), 1};
    folder = files.path();
    model = tiny_encoder(style);
    const char* const names[] = {"input_ids", "attention_mask", "token_type_ids"};
    for (size_t i = 0; i < model.graph.inputs.size(); ++i)
      rename(model.graph.inputs[i].name, names[i]);
    find_sites(*this);
    files.write("vocab.txt", vocabulary());
    files.write("config.json", R"({"id2label": {"0": "negative", "1": "positive"}})");
  }

 private:
  // Renames the ids, the mask or the types, so that the interpreter knows what to feed.
  void rename(std::string from, const std::string& to) {
    for (ValueInfo& input : model.graph.inputs)
      if (input.name == from) input.name = to;
    for (Node& node : model.graph.nodes) std::ranges::replace(node.inputs, from, to);
  }
};

}  // namespace fp8q::test
