#include "text/json_file.h"

#include <nlohmann/json.hpp>
#include <unordered_set>
#include <vector>

#include "base/error.h"

namespace fp8q {
namespace {

constexpr int kMaxDepth = 64;  // the files fp8q reads have less than 10 levels

}  // namespace

nlohmann::json parse_json(const std::filesystem::path& path, const std::string& bytes) {
  using nlohmann::json;
  std::vector<std::unordered_set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMaxDepth)
      fail(ErrorCode::bad_data, "{}: JSON is nested more than {} levels deep",
           printable(path.string()), kMaxDepth);
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key &&
        !keys.back().insert(parsed.get_ref<const std::string&>()).second)
      fail(ErrorCode::bad_data, "{}: the key \"{}\" stands twice in one JSON object",
           printable(path.string()), printable(parsed.get_ref<const std::string&>()));
    return true;
  };
  try {
    return json::parse(bytes, watch);
  } catch (const json::exception& e) {
    fail(ErrorCode::bad_data, "{}: is not valid JSON: {}", printable(path.string()),
         printable(e.what()));
  }
}

}  // namespace fp8q
