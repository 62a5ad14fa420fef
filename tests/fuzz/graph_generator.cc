#include "tests/fuzz/graph_generator.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "interpreter/abstract.h"
#include "interpreter/operator.h"
#include "tests/fuzz/operand_patterns.h"

namespace fp8q::test {
namespace {

constexpr DType kFloats[] = {DType::f32, DType::f32, DType::f16, DType::bf16, DType::f64};
constexpr DType kNumbers[] = {DType::f32, DType::i64, DType::i32, DType::f16,
                              DType::u8,  DType::i8,  DType::f64, DType::bf16};
constexpr DType kCodes[] = {DType::i8, DType::u8, DType::e4m3, DType::e5m2, DType::i32};
constexpr DType kAny[] = {DType::f32,  DType::i64, DType::boolean, DType::i32,
                          DType::f16,  DType::u8,  DType::e4m3,    DType::e5m2,
                          DType::bf16, DType::i8,  DType::f64};

struct Known {
  std::string name;
  DType dtype;
  Shape shape;
};

class Generator {
 public:
  explicit Generator(ByteSource& bytes) : bytes_(bytes) {
    static const std::vector<int64_t> opsets = {21, 18, 13, 22, 11, 20, 17,
                                                23, 24, 25, 9,  14, 7,  12};
    graph_.model.ir_version = 10;
    graph_.model.opsets[""] = bytes_.one_of(opsets);
  }

  GeneratedGraph make() {
    for (size_t count = 1 + bytes_.below(5); count > 0; --count) add_node();
    for (const Known& value : made_)
      if (value.name == made_.back().name || bytes_.flag())
        graph_.model.graph.outputs.push_back({value.name, value.dtype, false, {}});
    return std::move(graph_);
  }

 private:
  void add_node() {
    const Operator& op = bytes_.one_of(all_operators());
    const OperandPattern pattern = pattern_of(op.name);
    Node node;
    node.op_type = op.name;
    node.domain = op.domain;
    operands_.clear();
    add_operands(pattern.operands, node);
    add_attributes(pattern.attributes, node);
    const size_t outputs = 1 + bytes_.below(pattern.outputs);
    for (size_t o = 0; o < outputs; ++o) node.outputs.push_back("v" + std::to_string(counter_++));
    graph_.model.graph.nodes.push_back(node);
    if (!know_outputs(node)) graph_.model.graph.nodes.pop_back();
  }

  // Returns false if the node is not valid.
  bool know_outputs(const Node& node) {
    std::map<std::string, Shape> shapes;
    for (const auto& [name, tensor] : graph_.inputs) shapes[name] = tensor.shape();
    return succeeds([&] {
      const AbstractValues values = evaluate_abstractly(graph_.model, shapes);
      for (const std::string& output : node.outputs) {
        const AbstractValue& value = values.at(output);
        made_.push_back({output, value.dtype, value.shape});
      }
    });
  }

  // ---- operands

  void add_operands(std::string_view letters, Node& node) {
    bool optional = false;
    for (size_t i = 0; i < letters.size(); ++i) {
      if (letters[i] == '?') {
        optional = true;
        continue;
      }
      if (optional && bytes_.below(3) == 0) {
        node.inputs.emplace_back();
        continue;
      }
      const bool repeats = i + 1 < letters.size() && letters[i + 1] == '*';
      for (size_t count = repeats ? bytes_.below(3) : 1; count > 0; --count)
        add_operand(letters[i], node);
      if (repeats) ++i;
    }
    while (!node.inputs.empty() && node.inputs.back().empty()) node.inputs.pop_back();
  }

  void add_operand(char letter, Node& node) {
    const Known value = operand(letter);
    operands_.push_back(value);
    node.inputs.push_back(value.name);
  }

  Known operand(char letter) {
    switch (letter) {
      case 'a':
        return value_of(bytes_.one_of(kAny));
      case 'n':
        return value_of(bytes_.one_of(kNumbers));
      case 'f':
        return value_of(bytes_.one_of(kFloats));
      case 'b':
        return value_of(DType::boolean);
      case 'c':
        return value_of(bytes_.one_of(kCodes));
      case 'q':
        return fresh(Tensor::scalar(static_cast<float>(1 + bytes_.below(9)) / 4));
      case 'k':
        return fresh(Tensor::scalar(bytes_.between(-2, 4)));
      case 'o':
        return of_shape(bytes_.one_of(kNumbers), {});
      case 'd':
        return list(1 + bytes_.below(3), 0, 3);
      default:
        return operands_.empty() ? value_of(DType::f32) : like_first(letter);
    }
  }

  Known like_first(char letter) {
    const Known& first = operands_[0];
    const size_t rank = first.shape.size();
    const int64_t last = rank ? first.shape.back() : 1;
    switch (letter) {
      case 's':
        return of_shape(first.dtype, first.shape);
      case 'w':
        return of_shape(first.dtype, broadcasting(first.shape));
      case 'y':
        return of_shape(operands_[1].dtype, broadcasting(operands_[1].shape));
      case 'u':
        return of_shape(first.dtype, slices(first.shape, operands_[1].shape));
      case 'l':
        return of_shape(first.dtype, {});
      case 'v':
        return of_shape(first.dtype, {last});
      case 'm':
        return of_shape(first.dtype, bytes_.below(4) ? Shape{last, dimension()} : Shape{last});
      case 'z':
        return of_shape(
            first.dtype == DType::i8 || bytes_.flag() ? DType::i8 : bytes_.one_of(kCodes), {});
      case 'i':
        return indices();
      case 'x':
        return axes(rank);
      case 'r':
        return reshaped(first.shape);
      case 'p':
        return list(2 * rank, -1, 2);
      default:  // 't'
        return list(rank, -1, 3);
    }
  }

  Known indices() {
    const int64_t size = operands_[0].shape.empty() ? 1 : operands_[0].shape[0];
    Tensor indices(DType::i64, shape());
    for (int64_t& i : indices.mutable_data<int64_t>())
      i = size > 0 && bytes_.below(16) ? bytes_.between(-size, size - 1) : bytes_.between(-4, 4);
    return fresh(bytes_.flag() ? indices : indices.to(DType::i32));
  }

  // Returns the shape of the slices of `data` at indices of a shape, as ScatterND defines it.
  static Shape slices(const Shape& data, Shape indices) {
    if (indices.empty()) return {};
    const auto named = std::min(static_cast<size_t>(indices.back()), data.size());
    indices.pop_back();
    indices.insert(indices.end(), data.begin() + static_cast<long>(named), data.end());
    return indices;
  }

  Known axes(size_t rank) {
    std::vector<int64_t> chosen;
    for (size_t axis = 0; axis < rank; ++axis)
      if (bytes_.flag())
        chosen.push_back(static_cast<int64_t>(axis) -
                         (bytes_.flag() ? static_cast<int64_t>(rank) : 0));
    return fresh(Tensor::of<int64_t>({static_cast<int64_t>(chosen.size())}, chosen));
  }

  // Returns dimensions with the same product: joined, with ones, or one of them left to be found.
  Known reshaped(Shape dims) {
    if (bytes_.flag()) std::reverse(dims.begin(), dims.end());
    if (bytes_.below(3) == 0)
      dims.insert(dims.begin() + static_cast<long>(bytes_.below(dims.size() + 1)), 1);
    if (dims.size() > 1 && bytes_.below(3) == 0) {
      dims[0] *= dims[1];
      dims.erase(dims.begin() + 1);
    }
    if (!dims.empty() && bytes_.below(3) == 0) dims[bytes_.below(dims.size())] = -1;
    return fresh(Tensor::of<int64_t>({static_cast<int64_t>(dims.size())}, dims));
  }

  Known list(size_t size, int64_t least, int64_t most) {
    std::vector<int64_t> values(size);
    for (int64_t& v : values) v = bytes_.between(least, most);
    return fresh(Tensor::of<int64_t>({static_cast<int64_t>(size)}, values));
  }

  // ---- values

  // Returns a value that a node made, or a new one.
  Known value_of(DType dtype) {
    std::vector<const Known*> fitting;
    for (const Known& value : made_)
      if (value.dtype == dtype) fitting.push_back(&value);
    if (!fitting.empty() && bytes_.below(4)) return *bytes_.one_of(fitting);
    return of_shape(dtype, shape());
  }

  Known of_shape(DType dtype, const Shape& shape) {
    Tensor tensor(dtype, shape);
    visit(dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (T& v : tensor.mutable_data<T>()) v = static_cast<T>(number(dtype));
    });
    return fresh(tensor);
  }

  // Makes a constant or an input. Integers are constants, because shapes follow from many of them.
  Known fresh(const Tensor& tensor) {
    const std::string name = "c" + std::to_string(counter_++);
    if (bytes_.flag() || tensor.dtype() == DType::i64) {
      graph_.model.graph.initializers.emplace(name, tensor);
    } else {
      ValueInfo input{name, tensor.dtype(), true, {}};
      for (const int64_t dim : tensor.shape()) input.shape.push_back({dim, ""});
      graph_.model.graph.inputs.push_back(input);
      graph_.inputs.emplace(name, tensor);
    }
    return {name, tensor.dtype(), tensor.shape()};
  }

  // Integers and codes do not hold the rare values.
  float number(DType dtype) {
    static const std::vector<float> rare = {-0.0f,
                                            1e-45f,
                                            3e38f,
                                            1e-7f,
                                            65504.0f,
                                            448.0f,
                                            std::numeric_limits<float>::infinity(),
                                            std::numeric_limits<float>::quiet_NaN(),
                                            127.5f};
    const uint8_t byte = bytes_.byte();
    const bool floating = std::ranges::find(kFloats, dtype) != std::end(kFloats);
    if (floating && byte >= 247) return rare[byte - 247];
    const float value = static_cast<float>(byte % 16) / 2 - 3;
    return dtype == DType::u8 ? std::max(value, 0.0f) : value;
  }

  int64_t dimension() { return static_cast<int64_t>(bytes_.below(4)); }
  Shape shape() {
    Shape shape(bytes_.below(4));
    for (int64_t& dim : shape) dim = dimension();
    return shape;
  }
  Shape broadcasting(Shape shape) {
    for (int64_t& dim : shape)
      if (bytes_.below(4) == 0) dim = 1;
    if (!shape.empty() && bytes_.below(4) == 0) shape.erase(shape.begin());
    return shape;
  }

  // ---- attributes

  void add_attributes(std::string_view names, Node& node) {
    while (!names.empty()) {
      const size_t end = std::min(names.find(' '), names.size());
      std::string name(names.substr(0, end));
      names.remove_prefix(std::min(end + 1, names.size()));
      const bool needed = name.ends_with('!');
      if (needed) name.pop_back();
      if (needed || bytes_.flag()) node.attributes[name] = attribute(name);
    }
  }

  Attribute attribute(const std::string& name) {
    static const std::vector<std::string> equations = {
        "ij,jk->ik", "bij,bjk->bik", "ij,ij->", "i,j->ij", "...i,...i->...", "ii->i", "ij->ji"};
    static const std::vector<std::string> modes = {"constant", "edge", "reflect", "wrap"};
    static const std::vector<std::string> reductions = {"none", "add", "mul", "max", "min"};
    const auto rank = static_cast<int64_t>(operands_.empty() ? 0 : operands_[0].shape.size());
    if (name == "to" || name == "output_dtype") return static_cast<int64_t>(bytes_.one_of(kAny));
    if (name == "value") return constant();
    if (name == "equation") return bytes_.one_of(equations);
    if (name == "mode") return bytes_.one_of(modes);
    if (name == "reduction") return bytes_.one_of(reductions);
    if (name == "approximate") return std::string(bytes_.flag() ? "tanh" : "none");
    if (name == "perm") return permutation(rank);
    if (name == "alpha" || name == "beta" || name == "epsilon")
      return static_cast<float>(bytes_.below(5)) / 4;
    if (name == "axis" || name == "start" || name == "end")
      return bytes_.between(-rank, std::max<int64_t>(rank - 1, 0));
    if (name == "stash_type") return int64_t{1};
    return static_cast<int64_t>(
        bytes_.below(name == "block_size" || name == "num_outputs" ? 4 : 2));
  }

  Tensor constant() {
    Tensor tensor(bytes_.one_of(kAny), bytes_.flag() ? Shape{1} : shape());
    visit(tensor.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (T& v : tensor.mutable_data<T>()) v = static_cast<T>(static_cast<float>(bytes_.below(4)));
    });
    return tensor;
  }

  std::vector<int64_t> permutation(int64_t rank) {
    std::vector<int64_t> perm(static_cast<size_t>(rank));
    std::iota(perm.begin(), perm.end(), 0);
    for (size_t i = perm.size(); i > 1; --i) std::swap(perm[i - 1], perm[bytes_.below(i)]);
    return perm;
  }

  ByteSource& bytes_;
  GeneratedGraph graph_;
  std::vector<Known> made_;      // by nodes
  std::vector<Known> operands_;  // of the node in the making
  size_t counter_ = 0;
};

}  // namespace

GeneratedGraph generate_graph(ByteSource& bytes) { return Generator(bytes).make(); }

}  // namespace fp8q::test
