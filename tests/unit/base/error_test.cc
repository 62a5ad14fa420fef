#include "base/error.h"

#include <gtest/gtest.h>

namespace fp8q {
namespace {

TEST(Printable, KeepsTextAndEscapesTheRest) {
  EXPECT_EQ(printable("layer.0/ffn"), "layer.0/ffn");
  EXPECT_EQ(printable("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  EXPECT_EQ(printable("\xC3("), "\\xc3(");         // truncated sequence
  EXPECT_EQ(printable("\xC0\xAF"), "\\xc0\\xaf");  // overlong
  EXPECT_EQ(printable("\xC2\x9B"), "\\xc2\\x9b");  // C1 control: CSI in one character
}

TEST(Printable, EscapesWhatHidesOrReordersText) {
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b"),
            "a\\xe2\\x80\\xae"
            "b");                                                    // override of the direction
  EXPECT_EQ(printable("\xE2\x81\xA6"), "\\xe2\\x81\\xa6");           // isolate
  EXPECT_EQ(printable("\xE2\x80\xA8"), "\\xe2\\x80\\xa8");           // line separator
  EXPECT_EQ(printable("\xEF\xBB\xBF"), "\\xef\\xbb\\xbf");           // byte order mark
  EXPECT_EQ(printable("\xF3\xA0\x81\x81"), "\\xf3\\xa0\\x81\\x81");  // tag
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(printable("\xEF\xBF\xBD \xE2\x80\x8D"),
            "\xEF\xBF\xBD \xE2\x80\x8D");  // emoji need joiners
  EXPECT_EQ(printable(printable("\x07\n")), printable("\x07\n"));
}

TEST(Printable, IsCutAtTwoHundredBytes) {
  const std::string shown = printable(std::string(1000, 'x'));
  EXPECT_EQ(shown, std::string(200, 'x') + "...");
  EXPECT_EQ(printable(std::string(1000, 'x'), 1000), std::string(1000, 'x'));
}

TEST(Error, CarriesCodeAndContext) {
  try {
    fail(ErrorCode::bad_data, "line {}: {}", 3, "no tab");
  } catch (const Error& e) {
    EXPECT_EQ(e.exit_code(), 5);
    EXPECT_STREQ(e.what(), "line 3: no tab");
    EXPECT_STREQ(e.with_context("dev.tsv").what(), "dev.tsv: line 3: no tab");
    EXPECT_EQ(e.with_context("dev.tsv").code(), ErrorCode::bad_data);
  }
}

TEST(AssertDeathTest, ExitsAsInternalError) {
  EXPECT_EXIT(FP8Q_ASSERT(1 > 2), testing::ExitedWithCode(70), "1 > 2 does not hold");
}

}  // namespace
}  // namespace fp8q
