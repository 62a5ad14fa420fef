#include "study/tune_checkpoint.h"

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
    EXPECT_TRUE(written.trials().empty());
    EXPECT_FALSE(is_tune_checkpoint(path));
    written.keep_trials({0.1, 1e-300}, true);
    written.keep("0102", e);
  }
  EXPECT_TRUE(is_tune_checkpoint(path));
  const TuneCheckpoint read(path, "settings", false);
  ASSERT_NE(read.find("0102"), nullptr);
  EXPECT_EQ(*read.find("0102"), e);
  EXPECT_EQ(read.find("0000"), nullptr);
  EXPECT_EQ(read.trials(), (std::vector<double>{0.1, 1e-300}));
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
  for (const char* content : {"{", "{}", "{\"settings\": \"s\", \"trials\": 3}", "[1]",
                              "{\"settings\": \"s\", \"trials\": [null], \"evaluations\": {}}",
                              "{\"settings\": \"s\", \"settings\": \"s\", \"trials\": [], "
                              "\"evaluations\": {}}"}) {
    const auto path = folder.write("x.checkpoint", content);
    EXPECT_THROW(TuneCheckpoint(path, "s", false), Error) << content;
  }
}

}  // namespace
}  // namespace fp8q::test
