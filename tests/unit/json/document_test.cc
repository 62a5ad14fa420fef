// Tests what is parsed and what is refused, and that both take time linear in the text.
#include "json/document.h"

#include <gmock/gmock.h>

#include <chrono>
#include <optional>

#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

using json::Document;
using testing::AllOf;
using testing::HasSubstr;

constexpr json::Kind kKind{
    .what = "a list of wishes", .remedy = "wish again", .code = ErrorCode::bad_model};

std::string refusal_of_text(const std::string& text) {
  return error_of(ErrorCode::bad_model, [&] { Document::parse(text, "wishes.json", kKind); });
}

TEST(Document, EverythingThatJsonHas) {
  const std::string text =
      R"({"a":[null,true,false,-1,1,18446744073709551615,0.5,"x\u00e4"],"b":{"":{}},"c":[]})";
  EXPECT_EQ(Document::parse(text, "x").root().dump(),
            R"({"a":[null,true,false,-1,1,18446744073709551615,0.5,"xä"],"b":{"":{}},"c":[]})");
  EXPECT_EQ(Document::parse(" 1 ", "x").root().integer(), 1);
}

TEST(Document, OtherTextsAreNamedWithPlaceAndRemedy) {
  EXPECT_THAT(refusal_of_text("{\"a\": 1,\n \"b\" 2}"),
              AllOf(testing::StartsWith("wishes.json: is not a list of wishes: parse error at line "
                                        "2, column 6"),
                    testing::EndsWith("; wish again")));
  for (const char* text :
       {"", "{", "[1,]", "{} {}", "nul", "'x'", "{1: 2}", "[01]", "\"\xff\"", "\"\n\"", "// x\n1"})
    EXPECT_THAT(refusal_of_text(text), HasSubstr("is not a list of wishes")) << text;
}

TEST(Document, JsonHasOnlyFiniteNumbers) {
  for (const char* text : {"1e999", "[-1e999]", "NaN", "[Infinity]"})
    EXPECT_THAT(refusal_of_text(text), HasSubstr("is not a list of wishes")) << text;
  EXPECT_EQ(Document::parse("1e-999", "x").root().number(), 0);
}

TEST(Document, DepthIsBounded) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_EQ(Document::parse(nested(json::kMaxDepth), "x").root().size(), 1u);
  EXPECT_THAT(refusal_of_text(nested(json::kMaxDepth + 1)),
              HasSubstr("nested more than 64 levels deep"));
  EXPECT_THAT(refusal_of_text(std::string(1'000'000, '[')), HasSubstr("nested"));
  std::string objects;
  for (size_t i = 0; i <= json::kMaxDepth; ++i) objects += "{\"a\":";
  EXPECT_THAT(refusal_of_text(objects), HasSubstr("nested"));
}

TEST(Document, NoKeyStandsTwiceInAnObject) {
  EXPECT_EQ(refusal_of_text(R"({"a": 1, "b": 2, "a": 1})"),
            "wishes.json: the key \"a\" stands twice in one object; wish again");
  EXPECT_EQ(refusal_of_text(R"({"x": [{}, {"y": {"k": {}, "k": 1}}]})"),
            "wishes.json: x[1].y: the key \"k\" stands twice in one object; wish again");
  EXPECT_EQ(Document::parse(R"([{"a": 1}, {"a": {"a": 2}}])", "x").root().size(), 2u);
}

TEST(Document, FilesAreBoundedInSize) {
  const TemporaryFolder folder;
  const auto path = folder.write("a.json", "[1, 2]");
  EXPECT_EQ(Document::read(path, 6).root().size(), 2u);
  error_of(ErrorCode::limit, [&] { Document::read(path, 5); });
  error_of(ErrorCode::file, [&] { Document::read(folder.path() / "none.json", 5); });
}

// A short text may hold many values, each of which takes memory.
TEST(Document, MemoryIsBounded) {
  std::string text = "[[]";
  for (int i = 1; i < 100'000; ++i) text += ",[]";
  text += "]";
  const size_t memory = Document::parse(text, "x").memory();
  EXPECT_GT(memory, 100'000 * 2 * sizeof(void*));
  EXPECT_LT(memory, 100'000 * 200);
  EXPECT_THAT(error_of(ErrorCode::limit,
                       [&] { Document::parse(text, "wishes.json", {.max_memory = 1 << 20}); }),
              HasSubstr("wishes.json: takes more than 1 MiB of memory"));
  EXPECT_GT(Document::parse("[\"" + std::string(5000, 'x') + "\"]", "x").memory(), 5000u);
}

TEST(Document, BytesThatAreNoTextAreNamed) {
  EXPECT_THAT(refusal_of_text("\x1f\x8b\x08"),
              HasSubstr("is not a list of wishes: is compressed with gzip"));
  EXPECT_THAT(refusal_of_text("{\n\"a\": \"\xe9\"}"),
              HasSubstr("line 2: byte 7 (0xe9) is not UTF-8"));
  EXPECT_EQ(Document::parse("\xEF\xBB\xBF{}", "x").root().dump(), "{}");
}

TEST(Document, CopiesShareTheText) {
  std::optional<Document> document = Document::parse("[\"x\"]", "x");
  const Document copy = *document;
  const json::Value value = document->root().at(0);
  document.reset();
  EXPECT_EQ(value.string(), "x");
  EXPECT_EQ(copy.root().at(0).string(), "x");
}

// Returns the seconds to parse a list of this many objects, an object of as many members, and one
// of as many objects.
double seconds_for(size_t count) {
  std::string text = "{\"list\": [{}";
  for (size_t i = 1; i < count; ++i) text += ",{\"a\":{}}";
  text += "], \"object\": {\"a\": 1";
  for (size_t i = 1; i < count; ++i) text += ",\"" + std::to_string(i) + "\":0";
  text += "}, \"objects\": {\"a\": {}";
  for (size_t i = 1; i < count; ++i) text += ",\"" + std::to_string(i) + "\":{}";
  text += "}}";
  const auto start = std::chrono::steady_clock::now();
  Document::parse(text, "x");
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Quadratic time would take a hundred times as long for ten times as much, which is minutes here.
TEST(Document, LargeListsAndObjectsTakeLinearTime) { EXPECT_LT(seconds_for(300'000), 20); }

}  // namespace
}  // namespace fp8q::test
