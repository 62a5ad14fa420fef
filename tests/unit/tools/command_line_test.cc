#include "tools/fp8q/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fp8q/error.h"

namespace fp8q::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Makes a program with one command, "go", on which each test declares what it is about.
class CommandLines : public testing::Test {
 protected:
  CommandLines() {
    go_.action([this] { performed_ += "go"; });
  }

  // Returns the code with which the program would end, or nullopt if a command is to be run.
  std::optional<int> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "fp8q");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto code = program_.parse(static_cast<int>(arguments.size()), arguments.data());
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }
  void expect_accepted(const std::vector<const char*>& arguments) {
    EXPECT_EQ(parse(arguments), std::nullopt) << err_;
    EXPECT_EQ(out_ + err_, "");
  }
  void expect_refused(const std::vector<const char*>& arguments, const std::string& message) {
    EXPECT_EQ(parse(arguments), static_cast<int>(ErrorCode::usage));
    EXPECT_THAT(err_, HasSubstr(message));
    EXPECT_EQ(out_, "");
  }

  CommandLine program_{{.name = "fp8q",
                        .description = "A program",
                        .version = "1.2.3",
                        .footer = "The end of the program's help"}};
  Command go_ = program_.command("go", "Goes");
  std::string performed_, out_, err_;
};

TEST_F(CommandLines, ValuesReachTheirTargets) {
  std::string text;
  fs::path path;
  std::optional<fs::path> maybe_path, no_path;
  size_t count = 0;
  std::optional<size_t> maybe_count;
  double number = 0;
  std::optional<double> maybe_number;
  std::vector<std::string> words;
  std::vector<fs::path> paths;
  std::vector<size_t> counts = {7};
  bool flag = false, no_flag = false;
  go_.option("FILES", &paths, "");
  go_.option("--text", &text, "");
  go_.option("-p,--path", &path, "");
  go_.option("--maybe-path", &maybe_path, "");
  go_.option("--no-path", &no_path, "");
  go_.option("--count", &count, "");
  go_.option("--maybe-count", &maybe_count, "");
  go_.option("--number", &number, "");
  go_.option("--maybe-number", &maybe_number, "");
  go_.option("--words", &words, "").comma_separated();
  go_.option("--counts", &counts, "").comma_separated();
  go_.flag("--flag", &flag, "");
  go_.flag("--no-flag", &no_flag, "");
  expect_accepted({"go",  "a b",          "c",   "--text",         "two words", "-p",
                   "p",   "--maybe-path", "q",   "--count",        "3",         "--maybe-count",
                   "4",   "--number",     "0.5", "--maybe-number", "-1e3",      "--words",
                   "x,y", "--words",      "z",   "--counts",       "1,2",       "--flag"});
  EXPECT_THAT(paths, ElementsAre("a b", "c"));
  EXPECT_EQ(text, "two words");
  EXPECT_EQ(path, "p");
  EXPECT_EQ(maybe_path, "q");
  EXPECT_EQ(no_path, std::nullopt);
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(maybe_count, 4u);
  EXPECT_EQ(number, 0.5);
  EXPECT_EQ(maybe_number, -1e3);
  EXPECT_THAT(words, ElementsAre("x", "y", "z"));
  EXPECT_THAT(counts, ElementsAre(1, 2)) << "instead of the default";
  EXPECT_TRUE(flag);
  EXPECT_FALSE(no_flag);
}

TEST_F(CommandLines, ValuesThatAreNotOfTheTargetsTypeAreRefused) {
  size_t count = 0;
  go_.option("--count", &count, "");
  expect_refused({"go", "--count", "many"}, "--count");
}

TEST_F(CommandLines, NumbersThatCompareWithNothingAreRefused) {
  double share = 0.5, drop = 0.5, threshold = 0;
  go_.option("--share", &share, "").range(0.0, 1.0);
  go_.option("--drop", &drop, "").not_negative();
  go_.option("--threshold", &threshold, "");
  for (const char* value : {"nan", "-inf"}) expect_refused({"go", "--threshold", value}, "finite");
  expect_accepted({"go", "--threshold", "-1.5"});
  for (const char* value : {"nan", "-nan", "inf", "-1", "many"}) {
    expect_refused({"go", "--share", value}, "--share");
    expect_refused({"go", "--drop", value}, "--drop");
  }
  expect_refused({"go", "--drop", "-1"}, "-1 is not a number of 0 or more");
  expect_accepted({"go", "--share", "1", "--drop", "1e300"});
  EXPECT_EQ(drop, 1e300);
}

TEST_F(CommandLines, UnsignedNumbersDoNotWrap) {
  size_t seed = 1;
  std::vector<size_t> sizes;
  go_.option("--seed", &seed, "");
  go_.option("--sizes", &sizes, "").comma_separated();
  expect_refused({"go", "--seed", "-1"}, "-1 is not a number of 0 or more");
  expect_refused({"go", "--seed", " -1"}, "-1 is not a number of 0 or more");
  expect_refused({"go", "--seed", "99999999999999999999"}, "is too large");
  expect_refused({"go", "--sizes", "1,-2"}, "-2 is not a number of 0 or more");
  EXPECT_EQ(seed, 1u);
}

TEST_F(CommandLines, OneValueAtATime) {
  std::vector<std::string> rules;
  std::string model;
  go_.option("MODEL", &model, "");
  go_.option("--rule", &rules, "").one_value_at_a_time();
  expect_accepted({"go", "--rule", "a", "--rule", "b", "m.onnx"});
  EXPECT_THAT(rules, ElementsAre("a", "b"));
  EXPECT_EQ(model, "m.onnx");
}

TEST_F(CommandLines, FunctionsTakeValuesAndRefuseThem) {
  int threads = 0;
  std::string shard;
  go_.option(
      "--threads", [&](int n) { threads = n; }, "");
  go_.option(
      "--shard",
      [&](const std::string& value) {
        if (value == "2/1") throw Error(ErrorCode::usage, "--shard: there is no part 2 of 1");
        shard = value;
      },
      "");
  expect_accepted({"go", "--threads", "3", "--shard", "1/2"});
  EXPECT_EQ(threads, 3);
  EXPECT_EQ(shard, "1/2");
  expect_refused({"go", "--shard", "2/1"}, "--shard: there is no part 2 of 1\n");
}

enum class Speed { slow, fast };

TEST_F(CommandLines, Choices) {
  Speed speed = Speed::fast;
  go_.choice("--speed", {{"slow", Speed::slow}, {"fast", Speed::fast}}, &speed, "How fast")
      .show_default();
  EXPECT_EQ(parse({"go", "--help"}), 0);
  EXPECT_THAT(out_, ContainsRegex("--speed TEXT:\\{slow,fast\\}(=fast| \\[fast\\])"));
  expect_refused({"go", "--speed", "quick"}, "quick not in {slow,fast}");
  EXPECT_EQ(speed, Speed::fast);
  expect_accepted({"go", "--speed", "slow"});
  EXPECT_EQ(speed, Speed::slow);
}

TEST_F(CommandLines, ValuesOutsideOfWhatIsAllowedAreRefused) {
  size_t count = 0;
  double share = 0, drop = 0;
  std::string word;
  go_.option("--count", &count, "").range(1, 10);
  go_.option("--share", &share, "").range(0.0, 0.5);
  go_.option("--drop", &drop, "").not_negative();
  go_.option("--word", &word, "").one_of({"yes", "no"});
  expect_refused({"go", "--count", "0"}, "--count: Value 0 not in range ");
  EXPECT_THAT(err_, ContainsRegex("(1 to 10|\\[1 - 10\\])\n"));  // as the version of CLI11
  expect_refused({"go", "--count", "11"}, "--count: Value 11 not in range");
  expect_refused({"go", "--share", "0.51"}, "--share: Value 0.51 not in range");
  expect_refused({"go", "--drop", "-0.1"}, "--drop: -0.1 is not a number of 0 or more");
  expect_refused({"go", "--word", "perhaps"}, "--word: perhaps not in {yes,no}");
  expect_accepted({"go", "--count", "10", "--share", "0.5", "--drop", "0", "--word", "no"});
}

TEST_F(CommandLines, OptionsThatNeedOrExcludeOthers) {
  std::string task, split, device;
  bool reference = false;
  go_.option("MODEL", &device, "").required();
  const Option of_task = go_.option("--task", &task, "");
  go_.option("--split", &split, "").needs(of_task);
  go_.flag("--reference", &reference, "").excludes(of_task);
  expect_refused({"go"}, "MODEL is required");
  expect_refused({"go", "m", "--split", "dev"}, "--split requires --task");
  expect_refused({"go", "m", "--task", "sst2", "--reference"}, "excludes");
  expect_accepted({"go", "m", "--task", "sst2", "--split", "dev"});
}

TEST_F(CommandLines, WhatWasGiven) {
  std::string output, other = "default";
  const Option given = go_.option("-o,--output", &output, "");
  const Option absent = go_.option("--other", &other, "");
  expect_accepted({"go", "-o", "x"});
  EXPECT_TRUE(given.given());
  EXPECT_EQ(given.name(), "--output");
  EXPECT_FALSE(absent.given());
  EXPECT_EQ(other, "default");
}

TEST_F(CommandLines, Help) {
  size_t batch = 32;
  std::string column = "text";
  go_.option("--batch", &batch, "Examples per run").type_name("N").show_default();
  go_.option("--column", &column, "A column").group("Tables").help("The column to read");
  go_.footer("Examples:\n  fp8q go");
  EXPECT_EQ(parse({"go", "--help"}), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("Goes"), ContainsRegex("--batch N(=32| \\[32\\])"),
                          HasSubstr("Examples per run"), HasSubstr("Tables:"),
                          HasSubstr("The column to read"), Not(HasSubstr("A column")),
                          Not(HasSubstr("=text")), HasSubstr("Examples:\n  fp8q go")));
  EXPECT_EQ(parse({"--help"}), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("A program"), HasSubstr("go"), HasSubstr("Goes"),
                          HasSubstr("The end of the program's help")));
  EXPECT_EQ(parse({"--version"}), 0);
  EXPECT_EQ(out_, "fp8q 1.2.3\n");
  EXPECT_EQ(performed_, "");
}

TEST_F(CommandLines, TheActionOfTheCommandThatWasGivenRuns) {
  Command stay = program_.command("stay", "Stays");
  stay.action([this] { performed_ += "stay"; });
  expect_accepted({"stay"});
  EXPECT_EQ(performed_, "") << "not before it is told to";
  program_.run();
  EXPECT_EQ(performed_, "stay");
}

TEST_F(CommandLines, OneCommandMustBeGiven) {
  expect_refused({}, "subcommand");
  expect_refused({"frobnicate"},
                 "'frobnicate' is neither a command nor an option; fp8q --help lists them\n");
  expect_refused({"go", "--frobnicate"}, "--frobnicate");
}

}  // namespace
}  // namespace fp8q::cli
