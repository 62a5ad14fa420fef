// Inspection tells what a model is, and what fp8q would do with it.
#pragma once

#include <map>

#include "fp8q/common.h"

namespace fp8q {

struct InspectedSite {
  std::string name;  // name of the ONNX value
  std::string path;
  std::string kind;    // "activation" or "weight"
  std::string format;  // as found in the file: "float", "e4m3", ...
};

struct InspectResult {
  FileFacts file;
  std::string producer;
  int64_t ir_version = 0;
  int64_t opset = 0;
  uint64_t parameters = 0;  // elements of all float and code initializers and constants
  std::map<std::string, uint64_t> bytes_by_type;  // sizes of initializers and constants
  std::vector<std::string> inputs;                // "input_ids int64 [batch, sequence]"
  std::vector<std::string> outputs;
  // Says what each output is, as "logits: classifier". Empty unless the model is an encoder.
  std::vector<std::string> output_meanings;
  std::map<std::string, size_t> operators;  // number of nodes by operator
  bool encoder = false;
  std::string not_encoder_reason;  // set if `encoder` is false
  std::vector<std::pair<std::string, std::string>>
      architecture;          // facts of the encoder, in printing order
  std::string quantization;  // "none", or what was found
  std::vector<std::pair<std::string, std::string>> manifest;  // set if fp8q converted the model
  std::vector<InspectedSite> sites;
  std::vector<std::string> labels;  // labels of config.json, by index
  std::string tokenizer;            // its file, or the reason why there is none
  std::string engine;               // the engine that would run the model
  std::vector<std::string> notes;
};

CallFiles files_of(const ModelLocation& location);

InspectResult inspect(const ModelLocation& location);

// Returns the operators that the interpreter supports: "Add (1-27)".
std::vector<std::string> operator_list();

}  // namespace fp8q
