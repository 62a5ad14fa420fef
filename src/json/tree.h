// Builds JSON to be written. Members keep the order in which they are given:
//
//   Tree tree = {{"schema", "fp8q/x/1"}, {"range", Tree::list({low, high})}, {"task", optional}};
//   tree["sites"] = Tree::list(sites, [](const Site& s) { return Tree{{"path", s.path}}; });
//   write(tree.text({.indent = 2}));
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fp8q::json {

struct Style {
  int indent = -1;      // spaces for each level; negative: one line without spaces
  bool sorted = false;  // sort the members by their keys
  // Writes characters that a terminal may not show as they are (base/utf8.h) as "\u202e".
  bool escape_unprintable = false;
  // This is the message of the Error (unsupported) if a string is not UTF-8. If it is empty,
  // invalid bytes are replaced by U+FFFD.
  std::string_view not_utf8 = {};
};

class Tree {
 public:
  struct Member;

  Tree(std::nullptr_t = nullptr) {}
  Tree(bool value) : value_(value) {}
  template <std::signed_integral T>
  Tree(T value) : value_(int64_t{value}) {}
  template <std::unsigned_integral T>
  Tree(T value) : value_(uint64_t{value}) {}
  Tree(double value) : value_(value) {}  // null if it is not finite
  Tree(std::string text) : value_(std::move(text)) {}
  Tree(std::string_view text) : value_(std::string(text)) {}
  Tree(const char* text) : value_(std::string(text)) {}
  Tree(std::initializer_list<Member> members);  // an object
  template <typename T>
  Tree(const std::optional<T>& value) : Tree(value ? Tree(*value) : Tree(nullptr)) {}
  template <typename T>
  Tree(const std::vector<T>& elements)
      : Tree(list(elements, [](const T& element) { return Tree(element); })) {}
  template <typename T>
  Tree(const std::map<std::string, T>& members) : Tree(object()) {
    for (const auto& [key, value] : members) add(key, value);
  }

  static Tree object();
  static Tree list(std::initializer_list<Tree> elements = {});
  // Makes a list of what `write` returns for every element.
  template <typename T, typename Write>
  static Tree list(const std::vector<T>& elements, const Write& write) {
    Tree tree = list();
    for (const T& element : elements) tree.push_back(write(element));
    return tree;
  }

  // Returns the member with this key, and adds it (as null) if it is absent. Use this for objects
  // with few members.
  Tree& operator[](std::string_view key);
  // Adds a member whose key is new, in the same time for objects of any size.
  void add(std::string key, Tree value);
  void push_back(Tree element);  // appends to a list

  std::string text(const Style& style = {}) const;

 private:
  friend class Printer;
  // These are pairs because Member is incomplete where the constructors above are compiled.
  using Members = std::vector<std::pair<std::string, Tree>>;
  // This is a class of its own because libstdc++ takes a variant of strings and vectors alone for
  // one that has a value at all times, and so destroys one that it failed to copy, for want of
  // memory.
  struct Elements : std::vector<Tree> {
    using vector::vector;
  };

  std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string, Elements, Members>
      value_;
};

struct Tree::Member {
  std::string key;
  Tree value;
};

}  // namespace fp8q::json
