// Tests sealed files, and what can be wrong with schema, checksum and parts of a run.
#include "json/sealed.h"

#include <gmock/gmock.h>

#include "base/hash.h"
#include "tests/support/errors.h"

namespace fp8q::test {
namespace {

using json::Document;
using testing::HasSubstr;

constexpr const char* kSchema = "fp8q/wishes/1";
constexpr const char* kContent = R"({"a":[1,2],"b":"x"})";

Document unsealed(const std::string& bytes) {
  return json::unseal(bytes, "f.json", kSchema, {.remedy = "wish again"});
}
std::string refusal_of_file(const std::string& bytes) {
  return error_of(ErrorCode::bad_data, [&] { unsealed(bytes); });
}

TEST(Sealed, IsReadAsItWasWritten) {
  const std::string file = json::seal(kSchema, kContent, "{\"a\":[1,\n2],\"b\":\"x\"}");
  EXPECT_THAT(file, testing::StartsWith("{\"schema\":\"fp8q/wishes/1\",\"checksum\":\"" +
                                        sha256(kContent) + "\",\"content\":\n{\"a\":[1,\n2]"));
  EXPECT_EQ(unsealed(file).root()["content"].dump(), kContent);
  // White space and the order of members do not matter.
  EXPECT_EQ(unsealed(json::seal(kSchema, kContent, "{ \"b\":\"x\", \"a\":[1,2]}"))
                .root()["content"]["b"]
                .string(),
            "x");
}

TEST(Sealed, AnotherSchemaIsNamed) {
  EXPECT_EQ(refusal_of_file(json::seal("fp8q/wishes/2", kContent, kContent)),
            "f.json: schema: expected \"fp8q/wishes/1\", found \"fp8q/wishes/2\"; wish again");
  EXPECT_THAT(refusal_of_file("{}"), HasSubstr("\"schema\" is missing"));
  EXPECT_THAT(refusal_of_file("{\"schema\": 1}"), HasSubstr("schema: expected a string"));
}

TEST(Sealed, ChangedContentIsNoticed) {
  EXPECT_EQ(refusal_of_file(json::seal(kSchema, kContent, R"({"a":[1,3],"b":"x"})")),
            "f.json: checksum: does not fit the content; wish again");
  EXPECT_THAT(refusal_of_file(R"({"schema":"fp8q/wishes/1","checksum":"","content":1,"more":2})"),
              HasSubstr("expected 3 members, found 4"));
  EXPECT_THAT(refusal_of_file(R"({"schema":"fp8q/wishes/1","checksum":"","more":2})"),
              HasSubstr("\"content\" is missing"));
}

TEST(Sealed, PartsOfARun) {
  const Part part{3, 7, 10};
  const std::string text = json::to_json(part).text();
  EXPECT_EQ(text, R"({"begin":3,"end":7,"of":10})");
  const auto read = [](const std::string& json, int64_t examples) {
    const Document document = Document::parse(json, "f.json");
    return json::part_from_json(document.root(), examples);
  };
  EXPECT_EQ(read(text, 4), part);
  const auto refused = [&](const std::string& json, int64_t examples) {
    return error_of(ErrorCode::bad_data, [&] { read(json, examples); });
  };
  EXPECT_THAT(refused(text, 5), HasSubstr("is no part with 5 examples"));
  EXPECT_THAT(refused(R"({"begin":7,"end":3,"of":10})", -4), HasSubstr("is no part"));
  EXPECT_THAT(refused(R"({"begin":3,"end":11,"of":10})", 8), HasSubstr("is no part"));
  EXPECT_THAT(refused(R"({"begin":-1,"end":3,"of":10})", 4), HasSubstr("begin: expected"));
}

}  // namespace
}  // namespace fp8q::test
