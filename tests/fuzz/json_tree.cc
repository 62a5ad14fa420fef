#include "tests/fuzz/json_tree.h"

#include <algorithm>
#include <random>
#include <vector>

namespace fp8q::test {
namespace {

using nlohmann::json;

class Mutation {
 public:
  explicit Mutation(unsigned seed) : random_(seed) {}

  void change(json& root) {
    for (size_t count = 1 + below(3); count > 0; --count) {
      json& value = any_of(root);
      switch (below(6)) {
        case 0:
          value = odd_value();
          break;
        case 1:
          value = json(any_of(root));
          break;
        case 2:
          add_to(value, root);
          break;
        case 3:
          remove_from(value);
          break;
        case 4:
          nudge(value);
          break;
        default:
          value = below(2) ? json::array({value}) : json::object({{"x", value}});
      }
    }
  }

 private:
  size_t below(size_t n) { return random_() % n; }

  static void collect(json& value, std::vector<json*>& all) {
    all.push_back(&value);
    if (value.is_structured())
      for (json& child : value) collect(child, all);
  }

  json& any_of(json& root) {
    std::vector<json*> all;
    collect(root, all);
    return *all[below(all.size())];
  }

  json odd_value() {
    static const std::vector<json> odd = {nullptr,
                                          true,
                                          false,
                                          0,
                                          1,
                                          -1,
                                          0.5,
                                          -0.0,
                                          1e300,
                                          5e-324,
                                          3.4e38,
                                          INT64_MAX,
                                          INT64_MIN,
                                          UINT64_MAX,
                                          2147483648,
                                          4294967296,
                                          16777216,
                                          1.0,
                                          "",
                                          " ",
                                          "x",
                                          "0",
                                          "-1",
                                          "nan",
                                          "float",
                                          "int8",
                                          "e4m3",
                                          "token",
                                          "channel",
                                          "block32",
                                          "*",
                                          "layer.*",
                                          "../x",
                                          "/",
                                          "~",
                                          "a\nb",
                                          std::string("\0", 1),
                                          "\xC3\xA9",
                                          "\xF0\x9F\x98\x80",
                                          "\xED\xA0\x80",
                                          "<script>alert(1)</script>",
                                          "\"><script>alert(1)</script>",
                                          "{}",
                                          "%s%n",
                                          json::array(),
                                          json::object(),
                                          json::array({json::array()}),
                                          json::object({{"", 0}})};
    return odd[below(odd.size())];
  }

  void add_to(json& value, json& root) {
    const json added = below(2) ? odd_value() : json(any_of(root));
    if (value.is_array())
      value.insert(value.begin() + static_cast<long>(below(value.size() + 1)), added);
    else if (value.is_object()) value[below(2) ? "x" : "schema"] = added;
  }

  void remove_from(json& value) {
    if (!value.is_structured() || value.empty()) return;
    value.erase(std::next(value.begin(), static_cast<long>(below(value.size()))));
  }

  void nudge(json& value) {
    if (value.is_number_integer())
      value = value.get<int64_t>() / 2 + static_cast<int64_t>(below(3)) - 1;
    else if (value.is_number()) value = value.get<double>() * (below(2) ? -2 : 0.5);
    else if (value.is_boolean()) value = !value.get<bool>();
    else if (value.is_string()) value = value.get<std::string>() + static_cast<char>(below(128));
  }

  std::mt19937 random_;
};

// Trees are copied and written recursively.
bool nested_deeply(const std::string& text) {
  size_t depth = 0, deepest = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return deepest > 100;
}

}  // namespace

std::string dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<std::string> mutated_json(const std::string& text, unsigned seed) {
  if (nested_deeply(text)) return std::nullopt;
  json root = json::parse(text, nullptr, false);
  if (root.is_discarded()) return std::nullopt;
  const bool sealed = root.is_object() && root.contains("content") && root.contains("checksum");
  Mutation(seed).change(root);
  if (sealed && root.is_object() && seed % 16 != 1) root["checksum"] = "repair";
  return dumped(root);
}

}  // namespace fp8q::test
