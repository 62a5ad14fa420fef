#include "calibrate/range_table.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "json/document.h"
#include "json/tree.h"

namespace fp8q {
namespace {

using json::Tree;
using json::Value;

constexpr std::string_view kTensorRt = "TRT-";
constexpr float kTensorRtLargest = 127.0f;
constexpr json::Kind kKind{.what = "a calibration table",
                           .remedy = "make the calibration table again"};

// Takes the next line, without its end, from `rest`. Returns nullopt after the last one.
std::optional<std::string_view> next_line(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<float> scale_of_hex(std::string_view text) {
  uint32_t bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
  const auto scale = std::bit_cast<float>(bits);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::isfinite(scale) && scale >= 0 ? std::optional(scale) : std::nullopt;
}

std::optional<float> range_of_decimal(std::string_view text) {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::isfinite(value) ? std::optional(std::fabs(value)) : std::nullopt;
}

// Reads lines "name<separator>number". Names may contain the separator.
RangeTable from_lines(std::string_view bytes, const std::string& source, bool tensorrt) {
  RangeTable table{tensorrt ? "TensorRT calibration cache" : "onnxruntime calibration table", {}};
  const std::string_view separator = tensorrt ? ": " : " ";
  int number = 0;
  if (tensorrt) next_line(bytes), ++number;
  while (const auto line = next_line(bytes)) {
    ++number;
    if (line->empty()) continue;
    const size_t at = line->rfind(separator);
    std::optional<float> range;
    if (at != line->npos && at > 0) {
      const std::string_view text = line->substr(at + separator.size());
      range = tensorrt ? scale_of_hex(text) : range_of_decimal(text);
      if (range && tensorrt) range = *range * kTensorRtLargest;
    }
    if (!range || !std::isfinite(*range))
      fail(ErrorCode::bad_data, "{}: line {} is not \"name{}{}\": \"{}\"", source, number,
           separator, tensorrt ? "<scale as 8 hexadecimal digits>" : "<range>", printable(*line));
    table.ranges[std::string(line->substr(0, at))] = *range;
  }
  return table;
}

// Reads a number, or numpy's array of one number.
float number_from(const Value& value) {
  if (value.is_object()) return number_from(value["data"]);
  if (value.is_list()) return number_from(value.at(0));
  const auto number = static_cast<float>(value.number());
  if (!std::isfinite(number)) value.reject_for("a finite FP32 value");
  return number;
}

float range_from(const Value& value) {
  const bool pair = value.is_list();
  const float low = number_from(pair ? value.at(0) : value["lowest"]);
  const float high = number_from(pair ? value.at(1) : value["highest"]);
  return std::max(std::fabs(low), std::fabs(high));
}

RangeTable from_json(std::string_view bytes, const std::string& source) {
  const json::Document file = json::Document::parse(bytes, source, kKind);
  const Value root = file.root();
  const bool wrapped = root.has("CLS") && root.has("data");
  RangeTable table{"onnxruntime calibration table", {}};
  for (const auto& [name, value] : (wrapped ? root["data"] : root).members())
    table.ranges.emplace(name, range_from(value));
  return table;
}

}  // namespace

bool is_range_table(std::string_view bytes) {
  if (bytes.starts_with(kTensorRt)) return true;
  if (bytes.starts_with("{\"schema\"")) return false;
  if (bytes.starts_with('{')) return true;
  // The text form has "name range" in its first line.
  const auto line = next_line(bytes);
  const size_t at = line ? line->rfind(' ') : std::string_view::npos;
  return at != std::string_view::npos && at > 0 && range_of_decimal(line->substr(at + 1));
}

RangeTable range_table_from(std::string_view bytes, const std::string& source) {
  const std::string shown = printable(source);
  RangeTable table = bytes.starts_with('{')
                         ? from_json(bytes, shown)
                         : from_lines(bytes, shown, bytes.starts_with(kTensorRt));
  if (table.ranges.empty()) fail(ErrorCode::bad_data, "{}: names no tensor", shown);
  return table;
}

std::string to_tensorrt_cache(const RangeTable& table, std::string_view header) {
  std::string text = std::string(header) + "\n";
  for (const auto& [name, range] : table.ranges)
    text += fmt::format("{}: {:08x}\n", name, std::bit_cast<uint32_t>(range / kTensorRtLargest));
  return text;
}

std::string to_onnxruntime_table(const RangeTable& table) {
  const auto array = [](float value) {
    return Tree{{"CLS", "numpy.array"}, {"data", value}, {"dtype", "float32"}};
  };
  Tree data = Tree::object();
  for (const auto& [name, range] : table.ranges)
    data.add(name, {{"CLS", "TensorData"}, {"highest", array(range)}, {"lowest", array(-range)}});
  const Tree file = {
      {"CLS", "TensorsData"},
      {"calibration_method", {{"CLS", "CalibrationMethod"}, {"value", "CalibrationMethod.MinMax"}}},
      {"data", data},
      {"smooth_quant", false}};
  return file.text({.not_utf8 = "a value name of the model is not UTF-8: rename it"}) + "\n";
}

}  // namespace fp8q
