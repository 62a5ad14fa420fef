// A model opened for work: the file, its graph, and the encoder in it if there is one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_bytes.h"
#include "encoder/encoder.h"
#include "fp8q/common.h"
#include "graph/model.h"
#include "graph/site.h"

namespace fp8q {

struct Bundle {
  FileFacts file;
  fs::path folder;  // where tokenizer and config are looked for
  Model model;
  std::vector<std::shared_ptr<const FileBytes>> files;  // that its weights are views of
  std::optional<Encoder> encoder;
  std::string not_encoder_reason;  // where there is none
  std::vector<Site> sites;         // the encoder's, or the generic ones
};

// `location` is an ONNX file or a folder that holds model.onnx.
fs::path model_file(const fs::path& location);
// A model's file, opened once: its hash, which statistics and manifests are bound to, is of the
// very bytes that open_model() parses.
struct OpenedModel {
  FileFacts file;
  std::shared_ptr<const FileBytes> bytes;
};
OpenedModel open_model_file(const fs::path& location);
Bundle open_model(const OpenedModel& opened);
Bundle open_model(const fs::path& location);
// Recognizes the encoder and finds the Sites of bundle.model; done by open_model, and again after
// the graph changed.
void find_sites(Bundle& bundle);

// Brings the graph to the opset of converted models and finds the Sites' places in it again, since
// nodes may have been inserted. Names of values stay.
void upgrade_for_conversion(Bundle& bundle);

// Error (unsupported) where the model is quantized already, saying by what.
void require_float_model(const Bundle& bundle);

// Tokens an example may have: `asked`, or less where the model's position table is shorter (with a
// note).
size_t usable_length(const Bundle& bundle, size_t asked, std::vector<std::string>& notes);

}  // namespace fp8q
