// The one intermediate representation: an ONNX model as plain values.
//
// Values are referred to by name, as in the file, so names survive reading, rewriting and writing.
// An empty input or output name means "omitted". What fp8q does not interpret (unknown protobuf
// fields, documentation) is carried along as bytes. Calls of model-local functions do not occur in
// a graph: the reader inlines them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "tensor/tensor.h"

namespace fp8q {

using Attribute = std::variant<int64_t, float, std::string, Tensor, std::vector<int64_t>,
                               std::vector<float>, std::vector<std::string>>;

struct Node {
  std::string op_type;
  std::string domain;  // "" is the standard operator set (also read from "ai.onnx")
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;
  std::string doc;
  std::string unknown_fields;  // serialized, as read
};

struct Dim {
  int64_t value = -1;     // -1: not fixed
  std::string parameter;  // "batch_size"; may be empty
};

struct ValueInfo {
  std::string name;
  DType dtype = DType::f32;
  bool has_shape = false;
  std::vector<Dim> shape;
};

// A function that a file defines. The graph holds no calls but what they do, node by node: a call
// named "c" is its nodes "c/..." one after another, as expand() makes them and as the reader leaves
// them. `calls` tell the writer where the file shall have a call instead.
struct LocalFunction {
  std::string domain, name;
  std::vector<std::string> inputs, outputs;
  std::vector<Node> body;  // of the standard operator set, in the model's version
  std::vector<Node> calls;
};

struct Graph {
  std::string name;
  std::string doc;
  std::vector<ValueInfo> inputs;  // without initializers, which IR < 4 lists here
  std::vector<ValueInfo> outputs;
  std::vector<ValueInfo> value_info;
  std::map<std::string, Tensor> initializers;
  std::vector<Node> nodes;  // topologically ordered
};

struct Model {
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opsets;  // domain -> version; "" is the standard operator set
  std::string producer_name;
  std::string producer_version;
  std::string domain;
  int64_t model_version = 0;
  std::string doc;
  std::map<std::string, std::string> metadata;
  std::string unknown_fields;
  Graph graph;
  std::vector<LocalFunction> functions;  // to be written as such; none in a model as it is read

  int64_t opset() const;  // of the standard operator set; 0 where it is not imported
};

}  // namespace fp8q
