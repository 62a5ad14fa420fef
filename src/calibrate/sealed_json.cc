#include "calibrate/sealed_json.h"

#include "base/hash.h"

namespace fp8q {
namespace {

using nlohmann::json;

json parsed(std::string_view bytes, const std::string& source, const SealedKind& kind) {
  const auto limit_depth = [&](int depth, json::parse_event_t, json&) {
    if (depth > kind.max_depth)
      fail(ErrorCode::bad_data, "{}: is nested too deeply to be {}", source, kind.what);
    return true;
  };
  try {
    return json::parse(bytes, limit_depth);
  } catch (const json::exception& error) {
    fail(ErrorCode::bad_data, "{}: is not {} ({}): {}", source, kind.what, printable(error.what()),
         kind.remedy);
  }
}

}  // namespace

json unsealed(std::string_view bytes, const std::string& source, const SealedKind& kind) {
  json file = parsed(bytes, source, kind);
  const Field root(file, source, kind.blame);
  const std::string& schema = root["schema"].string();
  if (schema != kind.schema)
    root["schema"].reject(
        fmt::format("is \"{}\", \"{}\" was expected", printable(schema), kind.schema));
  root.with_members(3);
  const Field content = root["content"];
  if (root["checksum"].string() != sha256(content.json().dump()))
    root["checksum"].reject("does not fit the content");
  return std::move(file["content"]);
}

json part_to_json(const Part& part) {
  return {{"begin", part.begin}, {"end", part.end}, {"of", part.of}};
}

Part part_from_json(const Field& field, int64_t examples) {
  field.with_members(3);
  const auto number = [&](const char* key) {
    return static_cast<int64_t>(field[key].unsigned_integer(INT64_MAX));
  };
  const Part part{number("begin"), number("end"), number("of")};
  if (part.begin > part.end || part.end > part.of || part.size() != examples)
    field.reject(fmt::format("is no part with {} examples", examples));
  return part;
}

}  // namespace fp8q
