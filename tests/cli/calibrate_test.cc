// Tests calibration in parts: shards that merge, and runs that are interrupted and continue.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Calibration : public DemoFolder {
 protected:
  // Writes sentences of different lengths, which make more than one group of the moving averages.
  void write_sentences(int count) const {
    std::ofstream out(folder() / "text.txt");
    for (int i = 0; i < count; ++i) {
      out << "sentence number " << i;
      for (int word = 0; word < i % 11; ++word) out << (word % 2 ? " is good" : " that was bad");
      out << "\n";
    }
  }
};

TEST_F(Calibration, ThreeShardsMergeToTheBytesOfTheWhole) {
  write_sentences(100);
  const std::vector<std::string> base = {"calibrate", "model.onnx", "--data",
                                         "text.txt",  "--examples", "100"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return more;
  };
  ok(with({"-o", "whole.calib.json"}));
  ok(with({"--shard", "1/3", "--batch", "7", "--threads", "1"}));
  EXPECT_THAT(ok(with({"--shard", "2/3"})), HasSubstr("examples 34 to 66 of 100"));
  ok(with({"--shard", "3/3", "-o", "last.json"}));
  const std::string merged = ok({"merge", "last.json", "model.calib.1of3.json",
                                 "model.calib.2of3.json", "-o", "merged.calib.json"});
  EXPECT_THAT(merged, HasSubstr("100 examples"));
  EXPECT_EQ(bytes("merged.calib.json"), bytes("whole.calib.json"));
  ok({"convert", "--calib", "merged.calib.json", "model.onnx"});

  const auto refused = [&](std::vector<std::string> files, const char* why, int code = 5) {
    files.insert(files.begin(), "merge");
    files.insert(files.end(), {"-o", "never.json"});
    EXPECT_THAT(fails(files, code), HasSubstr(why));
    EXPECT_FALSE(fs::exists(folder() / "never.json"));
  };
  const std::string one = "model.calib.1of3.json", two = "model.calib.2of3.json";
  refused({one, two}, "a shard is missing: no file holds examples 67 to 100 of 100");
  refused({two, "last.json"}, "no file holds examples 1 to 33 of 100");
  refused({one, "last.json"}, "no file holds examples 34 to 66 of 100");
  refused({one, two, two, "last.json"}, "hold the same examples");
  refused({one, two, "whole.calib.json"}, "holds all examples of its run already");
  refused({one, two, "text.txt"}, "text.txt: is not a statistics file");
  refused({one, two, "absent.json"}, "absent.json", 6);
  ok(with({"--shard", "3/3", "--max-length", "9", "-o", "other.json"}));
  refused({one, two, "other.json"}, "are not of one run: they differ in --max-length (128 and 9)");
  ok(with({"--shard", "3/4", "-o", "other.json"}));
  refused({one, two, "other.json"}, "hold the same examples");
  EXPECT_THAT(fails({"merge", one, two, "last.json", "-o", one}, 2), HasSubstr("1of3.json"));
  EXPECT_THAT(fails({"convert", "model.onnx", "--calib", two}, 5),
              HasSubstr("holds examples 34 to 66 of 100 only; merge all shards"));
  for (const char* wrong : {"0/3", "4/3", "3", "1/0", "1/3x", "-1/3"})
    EXPECT_THAT(fails(with({"--shard", wrong}), 2), HasSubstr("--shard")) << wrong;
}

TEST_F(Calibration, MoreShardsThanExamples) {
  write_sentences(2);
  std::vector<std::string> merge = {"merge", "-o", "merged.json"};
  for (const char* shard : {"1/3", "2/3", "3/3"})
    ok({"calibrate", "model.onnx", "--data", "text.txt", "--shard", shard});
  merge.insert(merge.end(),
               {"model.calib.1of3.json", "model.calib.2of3.json", "model.calib.3of3.json"});
  ok(merge);
  ok({"calibrate", "model.onnx", "--data", "text.txt"});
  EXPECT_EQ(bytes("merged.json"), bytes("model.calib.json"));
}

TEST_F(Calibration, InterruptedRunsGoOnToTheSameBytes) {
  write_sentences(400);
  const auto arguments = [](const std::string& output, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"calibrate", "model.onnx", "--data", "text.txt", "--examples", "400",
                               "-o", output});
    return more;
  };
  ok(arguments("whole.json"));
  for (const int signal : {SIGKILL, SIGINT}) {
    const ProcessResult r = run_fp8q(arguments("cut.json", {"--checkpoint", "0", "--batch", "1"}),
                                     {.folder = folder(),
                                      .signal_when_exists = folder() / "cut.json.checkpoint",
                                      .signal = signal});
    ASSERT_EQ(r.exit_code, 128 + signal) << r.err;
    ASSERT_FALSE(fs::exists(folder() / "cut.json"));
    ASSERT_TRUE(fs::exists(folder() / "cut.json.checkpoint"));
    if (signal == SIGINT) {
      EXPECT_THAT(r.err, HasSubstr("the same command goes on from the checkpoint"));
    }
    const std::string again = ok(arguments("cut.json"));
    EXPECT_THAT(again, HasSubstr("went on from cut.json.checkpoint after example"));
    EXPECT_EQ(bytes("cut.json"), bytes("whole.json"));
    EXPECT_FALSE(fs::exists(folder() / "cut.json.checkpoint"));
    fs::remove(folder() / "cut.json");
  }
}

// As under nohup, or in the background of a shell.
TEST_F(Calibration, SignalsThatTheCallerIgnoresStayIgnored) {
  write_sentences(100);
  for (const int signal : {SIGHUP, SIGINT}) {
    const ProcessResult r =
        run_fp8q({"calibrate", "model.onnx", "--data", "text.txt", "--examples", "100",
                  "--checkpoint", "0", "--batch", "1", "--force"},
                 {.folder = folder(),
                  .signal_when_exists = folder() / "model.calib.json.checkpoint",
                  .signal = signal,
                  .ignored_signal = signal});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_TRUE(fs::exists(folder() / "model.calib.json"));
  }
}

// A mapped model that is cut short raises SIGBUS.
TEST_F(Calibration, MissingBytesOfAModelAreAFileError) {
  write_sentences(400);
  const ProcessResult r = run_fp8q({"calibrate", "model.onnx", "--data", "text.txt", "--examples",
                                    "400", "-o", "cut.json", "--checkpoint", "0", "--batch", "1"},
                                   {.folder = folder(),
                                    .signal_when_exists = folder() / "cut.json.checkpoint",
                                    .signal = SIGBUS});
  EXPECT_EQ(r.exit_code, 6);
  EXPECT_THAT(r.err, HasSubstr("a model file lost bytes while it was used"));
  EXPECT_FALSE(fs::exists(folder() / "cut.json"));
}

TEST_F(Calibration, CheckpointsOfOtherRunsAreNotUsed) {
  write_sentences(40);
  const std::vector<std::string> run = {"calibrate", "model.onnx", "--data", "text.txt"};
  ok(run);
  const std::string right = bytes("model.calib.json");
  const fs::path checkpoint = folder() / "model.calib.json.checkpoint";
  const auto expect_ignored = [&](const char* why) {
    const std::string out = ok(run);
    EXPECT_THAT(out, HasSubstr("the checkpoint model.calib.json.checkpoint was not used"));
    EXPECT_THAT(out, HasSubstr(why));
    EXPECT_THAT(out, Not(HasSubstr("went on")));
    EXPECT_EQ(bytes("model.calib.json"), right);
    EXPECT_FALSE(fs::exists(checkpoint));
  };
  ok({"calibrate", "model.onnx", "--data", "text.txt", "--shard", "2/2", "-o", "half.json"});
  fs::copy(folder() / "half.json", checkpoint);
  expect_ignored("it is of other examples (examples 21 to 40 of 40)");
  ok({"calibrate", "model.onnx", "--data", "text.txt", "--shard", "1/2", "--max-length", "9", "-o",
      "other.json"});
  fs::copy(folder() / "other.json", checkpoint);
  expect_ignored("it differs in --max-length");
  std::ofstream(checkpoint) << right.substr(0, right.size() / 2);
  expect_ignored("is not a statistics file");
  // The first half is as good as a checkpoint, whoever made it.
  ok({"calibrate", "model.onnx", "--data", "text.txt", "--shard", "1/2", "-o", "half.json"});
  fs::copy(folder() / "half.json", checkpoint);
  EXPECT_THAT(ok(run), HasSubstr("went on"));
  EXPECT_EQ(bytes("model.calib.json"), right);
  std::ofstream(checkpoint) << "mine";
  EXPECT_THAT(fails(run, 6), HasSubstr("checkpoint"));
}

}  // namespace
}  // namespace fp8q::test
