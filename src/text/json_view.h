// Typed access to a JSON document whose errors say where: "tokenizer.json: model/unk_token:
// expected ..., found ...".
//
// For .cc files only: it needs the whole of nlohmann/json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fp8q {

class JsonView {
 public:
  JsonView(const std::filesystem::path& file, const nlohmann::json& value)
      : file_(std::make_shared<const std::string>(file.string())), value_(&value) {}

  // A member that must exist, or one that may be absent or null.
  JsonView at(std::string_view key) const;
  std::optional<JsonView> find(std::string_view key) const;
  std::vector<JsonView> items() const;                            // of an array
  std::vector<std::pair<std::string, JsonView>> members() const;  // of an object

  std::string string() const;
  std::string dump() const;  // as JSON
  bool boolean() const;
  int64_t integer(int64_t least, int64_t most) const;
  bool is_string() const { return value_->is_string(); }
  bool is_object() const { return value_->is_object(); }
  bool is_zero() const { return value_->is_number() && value_->get<double>() == 0; }

  // Members with a default for absent or null ones.
  std::string string_or(std::string_view key, std::string otherwise) const;
  bool boolean_or(std::string_view key, bool otherwise) const;

  // "<file>: <path>", for messages.
  std::string where() const;

 private:
  JsonView(const JsonView& parent, const nlohmann::json& value, std::string_view step);
  [[noreturn]] void fail_type(const char* expected) const;

  std::shared_ptr<const std::string> file_;
  std::string path_;
  const nlohmann::json* value_;
};

}  // namespace fp8q
