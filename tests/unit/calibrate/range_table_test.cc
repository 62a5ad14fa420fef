// Tests calibration tables of other tools: their forms, their round trips, and files that are no
// such table.
#include "calibrate/range_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace fp8q::test {
namespace {

// TensorRT writes it this way: 0x3c92aa10 is 0.0179033577, the scale of a range of 2.27372646.
TEST(RangeTable, TensorRtCache) {
  const RangeTable t = range_table_from(
      "TRT-7103-EntropyCalibration2\ndata_0: 3c92aa10\n/layer.0/a:b: 4000889d\r\n", "x.cache");
  EXPECT_EQ(t.origin, "TensorRT calibration cache");
  EXPECT_FLOAT_EQ(t.ranges.at("data_0"), 0.0179033577f * 127);
  EXPECT_FLOAT_EQ(t.ranges.at("/layer.0/a:b"), 2.008338f * 127);
  EXPECT_EQ(t.ranges.size(), 2u);
}

// onnxruntime 1.32 writes them this way.
TEST(RangeTable, OnnxruntimeTables) {
  const std::string array =
      R"({"lowest": {"data": -1.5, "dtype": "float32", "CLS": "numpy.array"}, )"
      R"("highest": {"data": [2.25], "dtype": "float32", "CLS": "numpy.array"}, "CLS": "TensorData"})";
  for (const std::string& text :
       {R"({"CLS": "TensorsData", "data": {"x": )" + array +
            R"(}, "calibration_method": {"CLS": "CalibrationMethod",
               "value": "CalibrationMethod.MinMax"}, "smooth_quant": false})",
        R"({"x": )" + array + "}", std::string(R"({"x": [-2.25, 1]})"), std::string("x 2.25\n")}) {
    EXPECT_TRUE(is_range_table(text)) << text;
    const RangeTable t = range_table_from(text, "calibration.json");
    EXPECT_EQ(t.origin, "onnxruntime calibration table");
    EXPECT_EQ(t.ranges, (std::map<std::string, float>{{"x", 2.25f}})) << text;
  }
}

TEST(RangeTable, RoundTrips) {
  const RangeTable t{"", {{"a", 0.0f}, {"b: c", 12.7f}, {"/d/MatMul_output_0", 3.1415927f}}};
  EXPECT_EQ(to_tensorrt_cache(t),
            "TRT-8601-EntropyCalibration2\n/d/MatMul_output_0: 3ccaa525\na: 00000000\nb: c: "
            "3dcccccd\n");
  const RangeTable table = range_table_from(to_onnxruntime_table(t), "t.json");
  EXPECT_EQ(table.ranges, t.ranges);
  EXPECT_EQ(to_onnxruntime_table(table), to_onnxruntime_table(t));
  const RangeTable cache = range_table_from(to_tensorrt_cache(t, "TRT-100300-Entropy"), "t.cache");
  for (const auto& [name, range] : t.ranges)
    EXPECT_NEAR(cache.ranges.at(name), range, range * 0x1p-23f) << name;
  EXPECT_EQ(to_tensorrt_cache(cache), to_tensorrt_cache(t));
}

TEST(RangeTable, OtherFilesAreNone) {
  for (const char* bytes : {"", "{\"schema\":\"fp8q/statistics/1\"", "one line of text", "x", " 1"})
    EXPECT_FALSE(is_range_table(bytes)) << bytes;
}

TEST(RangeTable, WhatIsWrongIsNamed) {
  const auto expect = [](const std::string& bytes, const char* what) {
    try {
      range_table_from(bytes, "t.cache");
      ADD_FAILURE() << "accepted: " << bytes;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_data);
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  };
  expect("TRT-1-E\n", "names no tensor");
  expect("TRT-1-E\na: 3c92aa10\nb\n", "line 3");
  expect("TRT-1-E\na: 3c92aa1x\n", "line 2");
  expect("TRT-1-E\na: 7f800000\n", "line 2");  // infinite
  expect("TRT-1-E\na: bf800000\n", "line 2");  // negative
  expect("TRT-1-E\na: 7f000000\n", "line 2");  // the range overflows
  expect("a 1.5\nb nan\n", "line 2");
  expect("{\"x\": [1]}", "t.cache: x:");
  expect("{\"x\": [1, null]}", "t.cache: x[1]:");
  expect("{\"x\": {\"lowest\": 1}}", "highest");
  expect("{\"x\": ", "not a calibration table");
  expect("{}", "names no tensor");
  expect(std::string(50, '{'), "not a calibration table");
  expect("{\"a\":" + std::string(500, '['), "nested");
  expect("{\"x\": [1, 2], \"x\": [1, 3]}", "\"x\" stands twice");
}

}  // namespace
}  // namespace fp8q::test
