// Tests what is written, byte by byte.
#include "json/tree.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/support/errors.h"

namespace fp8q::test {
namespace {

using json::Tree;

TEST(Tree, MembersKeepTheirOrderUnlessSorted) {
  Tree tree = {{"b", 1}, {"a", {{"z", "x"}, {"y", nullptr}}}, {"c", Tree::list({true, "s"})}};
  tree["d"] = Tree::object();
  tree["b"] = -2;  // in its place
  tree.add("B", Tree::list());
  EXPECT_EQ(tree.text(), R"({"b":-2,"a":{"z":"x","y":null},"c":[true,"s"],"d":{},"B":[]})");
  EXPECT_EQ(tree.text({.sorted = true}),
            R"({"B":[],"a":{"y":null,"z":"x"},"b":-2,"c":[true,"s"],"d":{}})");
  EXPECT_EQ(tree.text({.indent = 1}),
            "{\n \"b\": -2,\n \"a\": {\n  \"z\": \"x\",\n  \"y\": null\n },\n \"c\": [\n  true,\n  "
            "\"s\"\n ],\n \"d\": {},\n \"B\": []\n}");
}

TEST(Tree, MadeOfWhatTheLibraryHas) {
  EXPECT_EQ(Tree(std::vector<std::string>{"a", "b"}).text(), R"(["a","b"])");
  EXPECT_EQ(Tree(std::vector<std::vector<int>>{{1}, {}}).text(), "[[1],[]]");
  EXPECT_EQ(Tree(std::map<std::string, double>{{"x", 0.5}}).text(), R"({"x":0.5})");
  EXPECT_EQ(Tree(std::map<std::string, double>{}).text(), "{}");
  EXPECT_EQ(Tree(std::optional<double>()).text(), "null");
  EXPECT_EQ(Tree(std::optional<std::string>("x")).text(), "\"x\"");
  EXPECT_EQ(Tree(std::string_view("x")).text(), "\"x\"");
  EXPECT_EQ(Tree::list(std::vector{1, 2}, [](int i) { return i * i; }).text(), "[1,4]");
}

TEST(Tree, NumbersAndStringsAsNlohmannJsonWritesThem) {
  const std::vector<double> numbers = {0,
                                       -0.0,
                                       1,
                                       0.1,
                                       1.0 / 3,
                                       1e300,
                                       5e-324,
                                       1e21,
                                       123456789,
                                       1e-7,
                                       0.1f,
                                       100,
                                       1e15,
                                       1e16,
                                       -2.5,
                                       std::numeric_limits<double>::infinity(),
                                       std::numeric_limits<double>::quiet_NaN()};
  EXPECT_EQ(Tree(numbers).text(), nlohmann::json(numbers).dump());
  EXPECT_EQ(Tree(UINT64_MAX).text(), "18446744073709551615");
  EXPECT_EQ(Tree(INT64_MIN).text(), "-9223372036854775808");
  EXPECT_EQ(Tree(0.1f).text(), "0.10000000149011612");
  for (const std::string& text : {std::string("plain ~"), std::string("\"\\/\b\f\n\r\t"),
                                  std::string("\x01\x1f\x7f\0", 4), std::string("ä € 𝄞")})
    EXPECT_EQ(Tree(text).text(), nlohmann::json(text).dump());
}

TEST(Tree, TextThatIsNotUtf8) {
  const Tree tree = {{"a\xff", Tree::list({"b\xc3"})}};
  EXPECT_EQ(tree.text(), "{\"a\xEF\xBF\xBD\":[\"b\xEF\xBF\xBD\"]}");
  EXPECT_EQ(error_of(ErrorCode::unsupported, [&] { tree.text({.not_utf8 = "rename it"}); }),
            "rename it");
  EXPECT_EQ(Tree("ä").text({.not_utf8 = "rename it"}), "\"ä\"");
}

}  // namespace
}  // namespace fp8q::test
