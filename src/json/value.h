// Gives typed access to a parsed document. Anything unexpected raises an error with the kind's code
// that names the file, the place and the remedy:
//
//   model.calib.json: content.sites[3].count: expected a whole number from 0 to 7, found "x"; run
//   fp8q calibrate again
//
// A Value is two pointers. Its place is found only when an error needs it, by a walk through the
// document.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fp8q::json {

struct Content;  // the contents of a Document

class Value {
 public:
  bool is_null() const;
  bool is_number() const;
  bool is_string() const;
  bool is_list() const;
  bool is_object() const;

  // Returns a member that must exist, though it may be null.
  Value operator[](std::string_view key) const;
  // Returns nullopt if the member is absent or null.
  std::optional<Value> find(std::string_view key) const;
  bool has(std::string_view key) const;                             // also true if it is null
  std::vector<std::pair<std::string_view, Value>> members() const;  // sorted by key
  // Requires an object with exactly `count` members.
  const Value& with_members(size_t count) const;
  // Requires an object without any other members, because a misspelled one would otherwise be
  // ignored.
  const Value& with_only(const std::vector<std::string_view>& keys) const;

  // These functions are for lists.
  size_t size() const;
  Value at(size_t index) const;
  std::vector<Value> items() const;
  std::vector<Value> items(size_t count) const;  // exactly this many

  const std::string& string() const;
  bool boolean() const;
  int64_t integer(int64_t least = std::numeric_limits<int64_t>::min(),
                  int64_t most = std::numeric_limits<int64_t>::max()) const;
  uint64_t unsigned_integer(uint64_t most = std::numeric_limits<uint64_t>::max()) const;
  double number() const;         // in any notation; JSON has no number that is not finite
  double finite_double() const;  // written as floating point
  float finite_float() const;    // written as floating point, and exactly an FP32 value

  // Returns nullopt if the value is null.
  std::optional<Value> unless_null() const;
  // Return a member, or a default if it is absent or null.
  std::string string_or(std::string_view key, std::string_view otherwise) const;
  bool boolean_or(std::string_view key, bool otherwise) const;
  // Returns a member that is a hint: nullopt if it is absent or no text.
  std::optional<std::string> find_string(std::string_view key) const;
  // Requires a text equal to this one.
  void must_be(std::string_view text) const;

  // Returns the value as JSON: members sorted, no spaces.
  std::string dump() const;
  // Returns "<file>: <place>", or the file alone for the whole document. Takes time linear in the
  // document.
  std::string where() const;
  // Raises the error "<where>: <problem>; <remedy>".
  [[noreturn]] void reject(std::string_view problem) const;
  // Raises the error that says what was expected and what was found.
  [[noreturn]] void reject_for(std::string_view expected) const;

 private:
  friend class Document;
  Value(const Content& content, const nlohmann::json& node) : content_(&content), node_(&node) {}
  Value child(const nlohmann::json& node) const { return Value(*content_, node); }
  const nlohmann::json* member(std::string_view key) const;  // nullptr if it is absent
  const nlohmann::json& list() const;

  const Content* content_;
  const nlohmann::json* node_;
};

// Returns what `read` makes of every element of a list.
template <typename Read>
auto list_of(const Value& list, const Read& read) {
  std::vector<std::decay_t<decltype(read(list))>> out;
  out.reserve(list.size());
  for (const Value& element : list.items()) out.push_back(read(element));
  return out;
}

std::vector<std::string> strings(const Value& list);

}  // namespace fp8q::json
