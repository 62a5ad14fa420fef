// A Bundle is a model opened for work: the file, its graph, and the encoder in it if there is one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "fp8q/common.h"
#include "graph/model.h"
#include "graph/site.h"
#include "onnx/model_files.h"

namespace fp8q {

struct Bundle {
  FileFacts file;   // the identity and the size of all files (onnx/model_files.h)
  fs::path folder;  // searched for tokenizer and config
  Model model;
  ModelFiles files;  // files whose bytes its weights view; empty if it is made in memory
  std::optional<Encoder> encoder;
  std::string not_encoder_reason;  // set if there is no encoder
  std::vector<Site> sites;         // the encoder's, or the generic ones
};

// `location` is an ONNX file, or a folder that holds model.onnx or onnx/model.onnx.
fs::path model_file(const fs::path& location);
Bundle open_model(const fs::path& location);
// Recognizes the encoder and finds the Sites of bundle.model. open_model() calls it; it must be
// called again after the graph changes.
void find_sites(Bundle& bundle);

// Upgrades the graph to the opset of converted models and finds the Sites' places in it again,
// since nodes may have been inserted. Names of values stay the same. Finds the types of the Sites'
// values.
void upgrade_for_conversion(Bundle& bundle);

// Throws an Error (unsupported) if the model is already quantized. The message says by what.
void require_float_model(const Bundle& bundle);

// Returns how many tokens an example may have: `asked`, or fewer (with a note) if the model's
// position table is shorter.
size_t usable_length(const Bundle& bundle, size_t asked, std::vector<std::string>& notes);

}  // namespace fp8q
