// Tests typed access, its limits, and the messages about unexpected values.
#include "json/value.h"

#include <gmock/gmock.h>

#include <functional>

#include "json/document.h"
#include "tests/support/errors.h"

namespace fp8q::test {
namespace {

using json::Document;
using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;

// Returns the message with which `read` refuses the document's only member.
std::string refusal_of_member(const std::string& member,
                              const std::function<void(const Value&)>& read) {
  const Document document =
      Document::parse("{\"m\": " + member + "}", "f.json", {.remedy = "make it again"});
  return error_of(ErrorCode::bad_data, [&] { read(document.root()["m"]); });
}

Document parsed(const std::string& text) { return Document::parse(text, "f.json"); }

TEST(Value, MessagesNameFilePlaceAndRemedy) {
  EXPECT_EQ(refusal_of_member("1", [](const Value& v) { v.string(); }),
            "f.json: m: expected a string, found 1; make it again");
  EXPECT_EQ(refusal_of_member("[{\"a\": []}]", [](const Value& v) { v.at(0)["a"].boolean(); }),
            "f.json: m[0].a: expected true or false, found a list; make it again");
  EXPECT_EQ(refusal_of_member("{}", [](const Value& v) { v["x"]; }),
            "f.json: m: \"x\" is missing; make it again");
  EXPECT_EQ(refusal_of_member("\"\"", [](const Value& v) { v.reject("is no name"); }),
            "f.json: m: is no name; make it again");
  EXPECT_EQ(error_of(ErrorCode::bad_data, [] { parsed("[]").root()["x"]; }),
            "f.json: expected an object, found a list");
  EXPECT_EQ(
      error_of(
          ErrorCode::unsupported,
          [] { Document::parse("1", "a\nb", {.code = ErrorCode::unsupported}).root().items(); }),
      "a\\x0ab: expected a list, found 1");
}

TEST(Value, PlacesOfAnyKey) {
  const Document document = parsed(R"({"a": {"##s": [1, {"x.y": 2}], "": 3}, "k_1": [[4, 5]]})");
  const Value root = document.root();
  EXPECT_EQ(root.where(), "f.json");
  EXPECT_EQ(root["a"]["##s"].at(0).where(), "f.json: a[\"##s\"][0]");
  EXPECT_EQ(root["a"]["##s"].at(1)["x.y"].where(), "f.json: a[\"##s\"][1][\"x.y\"]");
  EXPECT_EQ(root["a"][""].where(), "f.json: a[\"\"]");
  EXPECT_EQ(root["k_1"].at(0).at(1).where(), "f.json: k_1[0][1]");
}

TEST(Value, MembersThatMayBeAbsentOrNull) {
  const Document document = parsed(R"({"null": null, "text": "x", "flag": false})");
  const Value root = document.root();
  EXPECT_TRUE(root["null"].is_null());
  EXPECT_TRUE(root.has("null"));
  EXPECT_FALSE(root.has("other"));
  EXPECT_EQ(root.find("null"), std::nullopt);
  EXPECT_EQ(root.find("other"), std::nullopt);
  EXPECT_EQ(root.find("text")->string(), "x");
  EXPECT_EQ(root["null"].unless_null(), std::nullopt);
  EXPECT_EQ(root["text"].unless_null()->string(), "x");
  EXPECT_EQ(root.string_or("null", "y"), "y");
  EXPECT_EQ(root.string_or("text", "y"), "x");
  EXPECT_TRUE(root.boolean_or("null", true));
  EXPECT_FALSE(root.boolean_or("flag", true));
  error_of(ErrorCode::bad_data, [&] { root.string_or("flag", ""); });
  error_of(ErrorCode::bad_data, [&] { root.boolean_or("text", true); });
}

TEST(Value, MembersAreAllKnown) {
  const Document document = parsed(R"({"b": 1, "a": 2})");
  std::vector<std::string> keys;
  for (const auto& [key, value] : document.root().members()) keys.emplace_back(key);
  EXPECT_THAT(keys, ElementsAre("a", "b"));
  document.root().with_members(2).with_only({"a", "b", "c"});
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { document.root().with_members(3); }),
              HasSubstr("expected 3 members, found 2"));
  EXPECT_THAT(error_of(ErrorCode::bad_data,
                       [&] {
                         document.root().with_only({"a", "c"});
                       }),
              HasSubstr("has a member \"b\"; there are a, c"));
}

TEST(Value, Lists) {
  const Document document = parsed(R"(["a", "b"])");
  EXPECT_THAT(strings(document.root()), ElementsAre("a", "b"));
  EXPECT_THAT(list_of(document.root(), [](const Value& v) { return v.string().size(); }),
              ElementsAre(1, 1));
  EXPECT_EQ(document.root().items(2).size(), 2u);
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { document.root().items(3); }),
              HasSubstr("expected 3 elements, found 2"));
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { document.root().at(2); }),
              HasSubstr("has only 2 elements"));
}

TEST(Value, IntegersAtTheirLimits) {
  const Document document = parsed(
      "[9223372036854775807, 9223372036854775808, -9223372036854775808, 18446744073709551615, 0]");
  const auto values = document.root().items();
  EXPECT_EQ(values[0].integer(), INT64_MAX);
  EXPECT_EQ(values[2].integer(), INT64_MIN);
  EXPECT_EQ(values[3].unsigned_integer(), UINT64_MAX);
  EXPECT_EQ(values[1].unsigned_integer(), uint64_t{1} << 63);
  EXPECT_EQ(values[4].integer(0, 0), 0);
  for (const size_t i : {1, 3}) error_of(ErrorCode::bad_data, [&] { values[i].integer(); });
  error_of(ErrorCode::bad_data, [&] { values[2].unsigned_integer(); });
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { values[4].integer(1, 5); }),
              HasSubstr("[4]: expected a whole number from 1 to 5, found 0"));
  error_of(ErrorCode::bad_data, [&] { values[0].integer(-5, 5); });
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { values[0].unsigned_integer(7); }),
              HasSubstr("expected a whole number from 0 to 7, found 9223372036854775807"));
  for (const char* text : {"1.0", "1e3", "\"1\"", "true", "18446744073709551616"}) {
    error_of(ErrorCode::bad_data, [&] { parsed(text).root().integer(); });
    error_of(ErrorCode::bad_data, [&] { parsed(text).root().unsigned_integer(); });
  }
}

TEST(Value, FloatingPoint) {
  EXPECT_EQ(parsed("3").root().number(), 3);
  EXPECT_EQ(parsed("0.1").root().finite_double(), 0.1);
  EXPECT_EQ(parsed("0.5").root().finite_float(), 0.5f);
  EXPECT_EQ(parsed("3.4028234663852886e+38").root().finite_float(), 3.4028234663852886e+38f);
  EXPECT_EQ(refusal_of_member("3", [](const Value& v) { v.finite_double(); }),
            "f.json: m: expected a floating-point number, found 3; make it again");
  for (const char* text : {"0.1", "1e39", "-1e308"})
    EXPECT_THAT(refusal_of_member(text, [](const Value& v) { v.finite_float(); }),
                HasSubstr("expected a finite FP32 value"));
  refusal_of_member("\"3\"", [](const Value& v) { v.number(); });
  refusal_of_member("null", [](const Value& v) { v.number(); });
}

TEST(Value, ATextThatMustBeThisOne) {
  const Document document = parsed(R"({"schema": "x/2"})");
  document.root()["schema"].must_be("x/2");
  EXPECT_EQ(error_of(ErrorCode::bad_data, [&] { document.root()["schema"].must_be("x/1"); }),
            "f.json: schema: expected \"x/1\", found \"x/2\"");
}

}  // namespace
}  // namespace fp8q::test
