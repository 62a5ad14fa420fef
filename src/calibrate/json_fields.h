// Reading JSON that may be anything: every access names the field and says what was expected.
// Internal to .cc files.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/error.h"

namespace fp8q {

// How a wrong field is reported.
struct Blame {
  ErrorCode code;
  std::string_view remedy;
};

class Field {
 public:
  // `blame` must outlive the field.
  Field(const nlohmann::json& json, std::string where, const Blame& blame)
      : json_(&json), where_(std::move(where)), blame_(&blame) {}

  [[noreturn]] void reject(const std::string& problem) const {
    fail(blame_->code, "{}: {}; {}", where_, problem, blame_->remedy);
  }

  const nlohmann::json& json() const { return *json_; }

  // An object with exactly `size` members.
  const Field& with_members(size_t size) const {
    if (!json_->is_object()) reject("is not an object");
    if (json_->size() != size) reject(fmt::format("has {} members, not {}", json_->size(), size));
    return *this;
  }
  Field operator[](const char* key) const {
    if (!json_->is_object()) reject("is not an object");
    const auto it = json_->find(key);
    if (it == json_->end()) reject(fmt::format("has no member \"{}\"", key));
    return {*it, where_ + "." + key, *blame_};
  }
  Field at(size_t index) const {
    if (!json_->is_array()) reject("is not an array");
    if (index >= json_->size()) reject(fmt::format("has only {} elements", json_->size()));
    return {(*json_)[index], fmt::format("{}[{}]", where_, index), *blame_};
  }
  size_t size() const {
    if (!json_->is_array()) reject("is not an array");
    return json_->size();
  }

  uint64_t unsigned_integer(uint64_t largest) const {
    if (!json_->is_number_unsigned()) reject("is not a non-negative integer");
    const auto value = json_->get<uint64_t>();
    if (value > largest) reject(fmt::format("is {}, at most {} is possible", value, largest));
    return value;
  }
  int64_t integer() const {
    if (!json_->is_number_integer()) reject("is not an integer");
    if (json_->is_number_unsigned() && json_->get<uint64_t>() > INT64_MAX) reject("is too large");
    return json_->get<int64_t>();
  }
  // A number that is a finite FP32 value.
  float finite_float() const {
    if (!json_->is_number_float()) reject("is not a floating-point number");
    const auto value = json_->get<double>();
    const auto single = static_cast<float>(value);
    if (!(static_cast<double>(single) == value && single - single == 0.0f))
      reject("is not a finite FP32 value");
    return single;
  }
  double finite_double() const {  // JSON has no others
    if (!json_->is_number_float()) reject("is not a floating-point number");
    return json_->get<double>();
  }
  bool boolean() const {
    if (!json_->is_boolean()) reject("is neither true nor false");
    return json_->get<bool>();
  }
  const std::string& string() const {
    if (!json_->is_string()) reject("is not a string");
    return json_->get_ref<const std::string&>();
  }

 private:
  const nlohmann::json* json_;
  std::string where_;
  const Blame* blame_;
};

}  // namespace fp8q
