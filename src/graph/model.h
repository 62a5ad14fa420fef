// Defines the one intermediate representation: an ONNX model as plain values.
//
// Values are referred to by name, as in the file, so names survive reading, rewriting and writing.
// An empty input or output name means "omitted". Data that fp8q does not interpret (unknown
// protobuf fields, documentation) is carried along as bytes. A graph contains no calls of
// model-local functions: the reader inlines them.
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

// Describes a function that a file defines. The graph holds no calls, only the nodes that they
// stand for: a call named "c" is a sequence of consecutive nodes "c/...", as both expand() and the
// reader produce it. `calls` tells the writer which sequences become calls in the file.
struct LocalFunction {
  std::string domain, name;
  std::vector<std::string> inputs, outputs;
  std::vector<Node> body;  // standard operators, in the model's version
  std::vector<Node> calls;
};

struct Graph {
  std::string name;
  std::string doc;
  std::vector<ValueInfo> inputs;  // excludes initializers, which IR < 4 lists here
  std::vector<ValueInfo> outputs;
  std::vector<ValueInfo> value_info;
  std::map<std::string, Tensor> initializers;
  std::vector<Node> nodes;  // topologically ordered
};

// The version of the standard operator set that converted models have: the oldest one with every
// 8-bit type and with FP8 zero points of one dimension.
inline constexpr int64_t kConvertedOpset = 21;

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
  // These functions are written as such. A model that was read has none.
  std::vector<LocalFunction> functions;

  int64_t opset() const;  // version of the standard operator set; 0 if it is not imported
};

}  // namespace fp8q
