#include "json/value.h"

#include <algorithm>

#include "base/error.h"
#include "json/content.h"

namespace fp8q::json {

bool Value::is_null() const { return node_->is_null(); }
bool Value::is_number() const { return node_->is_number(); }
bool Value::is_string() const { return node_->is_string(); }
bool Value::is_list() const { return node_->is_array(); }
bool Value::is_object() const { return node_->is_object(); }

std::string Value::where() const {
  const std::string place = content_->place_of(*node_);
  return place.empty() ? content_->source : content_->source + ": " + place;
}

void Value::reject(std::string_view problem) const {
  content_->reject(content_->place_of(*node_), problem);
}

void Value::reject_for(std::string_view expected) const {
  const std::string found = is_object() ? "an object" : (is_list() ? "a list" : printable(dump()));
  reject(fmt::format("expected {}, found {}", expected, found));
}

std::string Value::dump() const {
  return node_->dump(-1, ' ', false, Node::error_handler_t::replace);
}

const Node* Value::member(std::string_view key) const {
  if (!is_object()) reject_for("an object");
  const auto found = node_->find(key);
  return found == node_->end() ? nullptr : &*found;
}

Value Value::operator[](std::string_view key) const {
  const Node* found = member(key);
  if (!found) reject(fmt::format("\"{}\" is missing", printable(key)));
  return child(*found);
}

std::optional<Value> Value::find(std::string_view key) const {
  const Node* found = member(key);
  if (!found) return std::nullopt;
  return child(*found).unless_null();
}

bool Value::has(std::string_view key) const { return member(key) != nullptr; }

std::vector<std::pair<std::string_view, Value>> Value::members() const {
  if (!is_object()) reject_for("an object");
  std::vector<std::pair<std::string_view, Value>> out;
  out.reserve(node_->size());
  for (const auto& [key, node] : node_->get_ref<const Node::object_t&>())
    out.emplace_back(key, child(node));
  return out;
}

const Value& Value::with_members(size_t count) const {
  if (!is_object()) reject_for("an object");
  if (node_->size() != count)
    reject(fmt::format("expected {} members, found {}", count, node_->size()));
  return *this;
}

const Value& Value::with_only(const std::vector<std::string_view>& keys) const {
  for (const auto& [key, member] : members())
    if (std::ranges::find(keys, key) == keys.end())
      reject(
          fmt::format("has a member \"{}\"; there are {}", printable(key), fmt::join(keys, ", ")));
  return *this;
}

const Node& Value::list() const {
  if (!is_list()) reject_for("a list");
  return *node_;
}

size_t Value::size() const { return list().size(); }

Value Value::at(size_t index) const {
  if (index >= size()) reject(fmt::format("has only {} elements", size()));
  return child(list()[index]);
}

std::vector<Value> Value::items() const {
  std::vector<Value> out;
  out.reserve(size());
  for (const Node& node : list()) out.push_back(child(node));
  return out;
}

std::vector<Value> Value::items(size_t count) const {
  if (size() != count) reject(fmt::format("expected {} elements, found {}", count, size()));
  return items();
}

const std::string& Value::string() const {
  if (!is_string()) reject_for("a string");
  return node_->get_ref<const std::string&>();
}

bool Value::boolean() const {
  if (!node_->is_boolean()) reject_for("true or false");
  return node_->get<bool>();
}

int64_t Value::integer(int64_t least, int64_t most) const {
  // An unsigned number above 2^63 would come out negative.
  const bool fits =
      node_->is_number_integer() &&
      !(node_->is_number_unsigned() && node_->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX));
  const int64_t value = fits ? node_->get<int64_t>() : 0;
  if (!fits || value < least || value > most)
    reject_for(fmt::format("a whole number from {} to {}", least, most));
  return value;
}

uint64_t Value::unsigned_integer(uint64_t most) const {
  const bool fits = node_->is_number_unsigned() && node_->get<uint64_t>() <= most;
  if (!fits) reject_for(fmt::format("a whole number from 0 to {}", most));
  return node_->get<uint64_t>();
}

double Value::number() const {
  if (!is_number()) reject_for("a number");
  return node_->get<double>();
}

double Value::finite_double() const {
  if (!node_->is_number_float()) reject_for("a floating-point number");
  return node_->get<double>();
}

float Value::finite_float() const {
  const double value = finite_double();
  const auto single = static_cast<float>(value);
  if (!(static_cast<double>(single) == value && single - single == 0.0f))
    reject_for("a finite FP32 value");
  return single;
}

std::optional<Value> Value::unless_null() const {
  return is_null() ? std::nullopt : std::optional(*this);
}

std::string Value::string_or(std::string_view key, std::string_view otherwise) const {
  const auto found = find(key);
  return found ? found->string() : std::string(otherwise);
}

std::optional<std::string> Value::find_string(std::string_view key) const {
  const auto found = find(key);
  return found && found->is_string() ? std::optional(found->string()) : std::nullopt;
}

bool Value::boolean_or(std::string_view key, bool otherwise) const {
  const auto found = find(key);
  return found ? found->boolean() : otherwise;
}

void Value::must_be(std::string_view text) const {
  if (string() != text) reject_for(fmt::format("\"{}\"", text));
}

std::vector<std::string> strings(const Value& list) {
  return list_of(list, [](const Value& value) { return value.string(); });
}

}  // namespace fp8q::json
