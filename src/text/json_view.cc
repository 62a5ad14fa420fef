#include "text/json_view.h"

#include "base/error.h"

namespace fp8q {

JsonView::JsonView(const JsonView& parent, const nlohmann::json& value, std::string_view step)
    : file_(parent.file_),
      path_(parent.path_.empty() ? std::string(step) : parent.path_ + "/" + std::string(step)),
      value_(&value) {}

std::string JsonView::where() const {
  return path_.empty() ? printable(*file_) : printable(*file_) + ": " + printable(path_);
}

std::string JsonView::dump() const {
  return value_->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void JsonView::fail_type(const char* expected) const {
  fail(ErrorCode::bad_data, "{}: expected {}, found {}", where(), expected, printable(dump()));
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
  if (!value_->is_object()) fail_type("an object");
  const auto found = value_->find(std::string(key));
  if (found == value_->end() || found->is_null()) return std::nullopt;
  return JsonView(*this, *found, key);
}

JsonView JsonView::at(std::string_view key) const {
  const auto found = find(key);
  if (!found) fail(ErrorCode::bad_data, "{}: \"{}\" is missing", where(), key);
  return *found;
}

std::vector<JsonView> JsonView::items() const {
  if (!value_->is_array()) fail_type("an array");
  std::vector<JsonView> out;
  for (size_t i = 0; i < value_->size(); ++i)
    out.push_back(JsonView(*this, (*value_)[i], std::to_string(i)));
  return out;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  if (!value_->is_object()) fail_type("an object");
  std::vector<std::pair<std::string, JsonView>> out;
  for (const auto& [key, value] : value_->items())
    out.emplace_back(key, JsonView(*this, value, key));
  return out;
}

std::string JsonView::string() const {
  if (!value_->is_string()) fail_type("a string");
  return value_->get<std::string>();
}

bool JsonView::boolean() const {
  if (!value_->is_boolean()) fail_type("true or false");
  return value_->get<bool>();
}

int64_t JsonView::integer(int64_t least, int64_t most) const {
  const std::string expected = fmt::format("a whole number from {} to {}", least, most);
  if (!value_->is_number_integer()) fail_type(expected.c_str());
  // An unsigned value above 2^63 would come out negative; it is above `most` in any case.
  const bool huge = value_->is_number_unsigned() && value_->get<uint64_t>() > INT64_MAX;
  const int64_t value = huge ? INT64_MAX : value_->get<int64_t>();
  if (huge || value < least || value > most) fail_type(expected.c_str());
  return value;
}

std::string JsonView::string_or(std::string_view key, std::string otherwise) const {
  const auto found = find(key);
  return found ? found->string() : std::move(otherwise);
}

bool JsonView::boolean_or(std::string_view key, bool otherwise) const {
  const auto found = find(key);
  return found ? found->boolean() : otherwise;
}

}  // namespace fp8q
