#include "json/sealed.h"

#include "base/error.h"
#include "base/hash.h"

namespace fp8q::json {

std::string seal(std::string_view schema, std::string_view canonical, std::string_view as_written) {
  return fmt::format("{{\"schema\":\"{}\",\"checksum\":\"{}\",\"content\":\n{}}}\n", schema,
                     sha256(canonical), as_written);
}

Document unseal(std::string_view bytes, const std::string& source, std::string_view schema,
                const Kind& kind) {
  Document file = Document::parse(bytes, source, kind);
  const Value root = file.root();
  root["schema"].must_be(schema);
  root.with_members(3);
  const Value content = root["content"];
  if (root["checksum"].string() != sha256(content.dump()))
    root["checksum"].reject("does not fit the content");
  return file;
}

Tree to_json(const Part& part) {
  return {{"begin", part.begin}, {"end", part.end}, {"of", part.of}};
}

Part part_from_json(const Value& value, int64_t examples) {
  value.with_members(3);
  const auto number = [&](const char* key) { return value[key].integer(0); };
  const Part part{number("begin"), number("end"), number("of")};
  if (part.begin > part.end || part.end > part.of || part.size() != examples)
    value.reject(fmt::format("is no part with {} examples", examples));
  return part;
}

}  // namespace fp8q::json
