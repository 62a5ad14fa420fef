// Reads and writes ranges of activations as other tools store them: a magnitude for every ONNX
// value name.
//
// Three forms are read. Their first bytes tell them apart:
//   TensorRT calibration cache   "TRT-8601-EntropyCalibration2", then "name: 3c92aa10" lines: the
//                                bits of an FP32 scale in hexadecimal; the range is scale * 127.
//   onnxruntime table, JSON      what save_tensors_data() and write_calibration_table() of
//                                onnxruntime.quantization write: {"lowest": l, "highest": h} or
//                                [l, h] for every name; the range is max(|l|, |h|).
//   onnxruntime table, text      calibration.cache beside it: "name range" lines.
// The first and the last are described in onnxruntime's tensorrt_execution_provider_utils.h
// (ReadDynamicRange), the JSON by CalibrationCacheEncoder in its quantization/calibrate.py (1.32).
// fp8q writes the first and the JSON. The binary form of the onnxruntime table (FlatBuffers) is not
// supported.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace fp8q {

struct RangeTable {
  std::string origin;  // "TensorRT calibration cache", "onnxruntime calibration table"
  std::map<std::string, float> ranges;  // by value name; finite, not negative
};

// Returns whether the bytes are one of the three forms, and not fp8q's own statistics.
bool is_range_table(std::string_view bytes);

// `source` names the bytes in messages. Throws an Error (bad_data) that names the wrong line or
// member.
RangeTable range_table_from(std::string_view bytes, const std::string& source);

// The header names the TensorRT version that may use the cache. Other versions calibrate anew.
inline constexpr std::string_view kTensorRtHeader = "TRT-8601-EntropyCalibration2";
std::string to_tensorrt_cache(const RangeTable& table, std::string_view header = kTensorRtHeader);
std::string to_onnxruntime_table(const RangeTable& table);

}  // namespace fp8q
