// Tests payloads of tensors: which fields they may stand in, and how large they must be.
#include "onnx/load.h"
#include "tests/unit/onnx/build.h"

namespace fp8q::test {
namespace {

// Makes a model with one more initializer "t", without payload.
struct WithTensor {
  WithTensor(int type, const std::vector<int64_t>& dims) : proto(tiny_model()) {
    auto& t = tensor();
    t.set_name("t");
    t.set_data_type(type);
    for (const int64_t dim : dims) t.add_dims(dim);
  }
  onnx::TensorProto& tensor() {
    auto& graph = *proto.mutable_graph();
    return graph.initializer_size() > 2 ? *graph.mutable_initializer(2) : *graph.add_initializer();
  }
  Tensor read() const { return parse(proto).graph.initializers.at("t"); }
  onnx::ModelProto proto;
};

TEST(Payload, TypedFields) {
  WithTensor f(onnx::TensorProto_DataType_FLOAT, {2});
  f.tensor().add_float_data(1.5F);
  f.tensor().add_float_data(-2.0F);
  EXPECT_EQ(f.read().data<float>()[1], -2.0F);

  WithTensor l(onnx::TensorProto_DataType_INT64, {1});
  l.tensor().add_int64_data(-5);
  EXPECT_EQ(l.read().data<int64_t>()[0], -5);

  WithTensor d(onnx::TensorProto_DataType_DOUBLE, {});
  d.tensor().add_double_data(0.25);
  EXPECT_EQ(d.read().data<double>()[0], 0.25);

  WithTensor i(onnx::TensorProto_DataType_INT32, {1});
  i.tensor().add_int32_data(-70000);
  EXPECT_EQ(i.read().data<int32_t>()[0], -70000);
}

TEST(Payload, BitPatternsInInt32Data) {
  struct Case {
    int type;
    int32_t value;
    bool legal;
  };
  constexpr int kE4m3 = 17;
  constexpr int kE5m2 = 19;
  for (const auto& [type, value, legal] :
       std::vector<Case>{{kE4m3, 255, true},
                         {kE4m3, 256, false},
                         {kE4m3, -1, false},
                         {kE5m2, 256, false},
                         {onnx::TensorProto_DataType_UINT8, 256, false},
                         {onnx::TensorProto_DataType_INT8, -128, true},
                         {onnx::TensorProto_DataType_INT8, 128, false},
                         {onnx::TensorProto_DataType_BOOL, 1, true},
                         {onnx::TensorProto_DataType_BOOL, 2, false},
                         {onnx::TensorProto_DataType_FLOAT16, 0xFFFF, true},
                         {onnx::TensorProto_DataType_BFLOAT16, 0x10000, false}}) {
    WithTensor with(type, {1});
    with.tensor().add_int32_data(value);
    if (!legal) {
      expect_parse_error(kBad, "initializer \"t\": int32_data holds", with.proto);
      continue;
    }
    const Tensor tensor = with.read();
    EXPECT_EQ(std::to_integer<int>(tensor.bytes()[0]), value & 0xFF);
  }
}

TEST(Payload, SizeMustFit) {
  for (const size_t size : {0U, 7U, 9U, 16U}) {
    WithTensor with(onnx::TensorProto_DataType_FLOAT, {2});
    with.tensor().set_raw_data(std::string(size, '\0'));
    expect_parse_error(kBad, "initializer \"t\"", with.proto);
  }
  WithTensor typed(onnx::TensorProto_DataType_FLOAT, {2});
  typed.tensor().add_float_data(1.0F);
  expect_parse_error(kBad, "float_data has 1 where float of shape [2] needs 2", typed.proto);
}

TEST(Payload, OneField) {
  WithTensor two(onnx::TensorProto_DataType_FLOAT, {1});
  two.tensor().add_float_data(1.0F);
  two.tensor().set_raw_data(std::string(4, '\0'));
  expect_parse_error(kBad, "more than one payload", two.proto);
  WithTensor wrong(onnx::TensorProto_DataType_FLOAT, {1});
  wrong.tensor().add_int64_data(1);
  expect_parse_error(kBad, "does not belong to its type float", wrong.proto);
}

TEST(Payload, NoElementsNeedNoPayload) {
  EXPECT_EQ(WithTensor(17, {0}).read().size(), 0);
  EXPECT_EQ(WithTensor(onnx::TensorProto_DataType_FLOAT, {3, 0}).read().shape(), (Shape{3, 0}));
  expect_parse_error(kBad, "no payload", WithTensor(17, {}).proto);
}

TEST(Payload, ScalarsAndShortPayloadsAreAligned) {
  WithTensor with(onnx::TensorProto_DataType_INT64, {});
  with.tensor().set_raw_data(std::string("\x2A\0\0\0\0\0\0\0", 8));
  const Tensor tensor = with.read();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes()) % alignof(int64_t), 0U);
  EXPECT_EQ(tensor.data<int64_t>()[0], 42);
}

TEST(Payload, BooleansAreZeroOrOne) {
  WithTensor with(onnx::TensorProto_DataType_BOOL, {2});
  with.tensor().set_raw_data(std::string("\x01\x07", 2));
  expect_parse_error(kBad, "neither 0 nor 1", with.proto);
}

TEST(Payload, Shapes) {
  expect_parse_error(kBad, "negative dimension -1", WithTensor(1, {2, -1}).proto);
  expect_parse_error(kBad, "too many elements", WithTensor(1, {1LL << 62, 8}).proto);
  expect_parse_error(kBad, "too many elements", WithTensor(1, {1LL << 62, 0, 1LL << 62}).proto);
  expect_parse_error(kBad, "17 dimensions", WithTensor(1, std::vector<int64_t>(17, 1)).proto);
}

TEST(Payload, UnknownTypes) {
  expect_parse_error(kUnsupported, "initializer \"t\": element type INT4",
                     WithTensor(22, {1}).proto);
  expect_parse_error(kUnsupported, "FLOAT8E4M3FNUZ", WithTensor(18, {1}).proto);
  expect_parse_error(kUnsupported, "STRING", WithTensor(8, {1}).proto);
  expect_parse_error(kUnsupported, "type 99", WithTensor(99, {1}).proto);
  expect_parse_error(kUnsupported, "UNDEFINED", WithTensor(0, {1}).proto);
}

}  // namespace
}  // namespace fp8q::test
