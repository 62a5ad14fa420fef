#include "api/tune_checkpoint.h"

#include <gtest/gtest.h>

#include "fp8q/error.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

TEST(TuneCheckpoint, IsReadAsItWasWritten) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.checkpoint";
  const KeptEvaluation e{.score = 88.25, .difference = -1.0 / 3, .low = -2, .high = 0.1};
  {
    TuneCheckpoint written(path, "settings", false);
    EXPECT_TRUE(written.moves().empty());
    EXPECT_FALSE(is_tune_checkpoint(path));
    written.keep_moves({{.unit = 3, .step = 1, .harm = 0.1, .price = 1e-300}});
    written.keep("0102", e);
  }
  EXPECT_TRUE(is_tune_checkpoint(path));
  const TuneCheckpoint read(path, "settings", false);
  ASSERT_NE(read.find("0102"), nullptr);
  EXPECT_EQ(*read.find("0102"), e);
  EXPECT_EQ(read.find("0000"), nullptr);
  ASSERT_EQ(read.moves().size(), 1u);
  EXPECT_EQ(read.moves()[0].unit, 3u);
  EXPECT_EQ(read.moves()[0].harm, 0.1);
  EXPECT_EQ(read.moves()[0].price, 1e-300);
}

TEST(TuneCheckpoint, OtherSettingsAndRestartStartAnew) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.checkpoint";
  TuneCheckpoint(path, "settings", false).keep("0", {});
  EXPECT_EQ(TuneCheckpoint(path, "others", false).find("0"), nullptr);
  EXPECT_EQ(TuneCheckpoint(path, "settings", true).find("0"), nullptr);
  EXPECT_NE(TuneCheckpoint(path, "settings", false).find("0"), nullptr);  // nothing was replaced
}

TEST(TuneCheckpoint, DamageIsNamed) {
  const TemporaryFolder folder;
  for (const char* content : {"{", "{}", "{\"settings\": \"s\", \"moves\": 3}", "[1]"}) {
    const auto path = folder.write("x.checkpoint", content);
    EXPECT_THROW(TuneCheckpoint(path, "s", false), Error) << content;
  }
}

}  // namespace
}  // namespace fp8q::test
