// Assembles graphs node by node, with names that say nothing, because recognition uses structure
// only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "graph/model.h"

namespace fp8q::test {

class GraphBuilder {
 public:
  using Names = std::vector<std::string>;
  using Attributes = std::map<std::string, Attribute>;

  explicit GraphBuilder(int64_t opset);

  std::string input(DType dtype, std::vector<Dim> shape);
  // Adds a node with one output, or several.
  std::string op(const std::string& type, const Names& inputs, const Attributes& attributes = {});
  Names ops(const std::string& type, const Names& inputs, size_t outputs,
            const Attributes& attributes = {});
  std::string constant(Tensor tensor);       // an initializer
  std::string node_constant(Tensor tensor);  // a Constant node
  std::string scalar(float value) { return constant(Tensor::scalar(value)); }
  std::string ints(const std::vector<int64_t>& values);
  std::string index(int64_t value) { return constant(Tensor::scalar(value)); }
  std::string random(const Shape& shape, float size, float offset = 0);
  Tensor random_tensor(const Shape& shape, float size, float offset = 0);

  // These forms changed with the operator set.
  std::string mean(const std::string& x);  // over the last axis, kept
  std::string reduce(const std::string& type, const std::string& x, int64_t axis, bool keep);
  std::string unsqueeze(const std::string& x, int64_t axis);
  std::string squeeze(const std::string& x, int64_t axis);
  std::string slice(const std::string& x, const std::string& start, const std::string& end,
                    int64_t axis);
  std::string dim(const std::string& x, int64_t axis);          // a scalar
  std::string dim_as_list(const std::string& x, int64_t axis);  // a list of one
  std::string cast(const std::string& x, DType to);
  std::string reshape(const std::string& x, const Names& dims);  // concatenated lists
  std::string transpose(const std::string& x, std::vector<int64_t> perm);

  int64_t opset() const { return opset_; }
  Model finish(const Names& outputs);

 private:
  std::string fresh() { return fmt::format("v{}", counter_++); }

  Model model_;
  int64_t opset_;
  int counter_ = 0;
  uint32_t state_ = 1;
};

}  // namespace fp8q::test
