// Tests the statistics file: its exact round trip, its constant bytes, and the refusal of
// everything else.
#include "calibrate/statistics.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "tests/support/paths.h"
#include "tests/unit/calibrate/random_values.h"

namespace fp8q::test {
namespace {

using nlohmann::json;

Statistics example() {
  Statistics s;
  s.provenance = {.version = "0.1.0",
                  .model_name = "model.onnx",
                  .model_sha256 = std::string(64, 'a'),
                  .tokenizer_sha256 = std::string(64, 'b'),
                  .data_path = "glue_data/SST-2/train.tsv",
                  .data_sha256 = std::string(64, 'c'),
                  .builtin_data = false,
                  .random_data = true,
                  .task = "sst2",
                  .max_length = 128,
                  .seed = UINT64_MAX,
                  .examples = 64,
                  .tokens = 1234};
  for (uint32_t i = 0; i < 3; ++i) {
    SiteRecord site{
        "/layer." + std::to_string(i) + "/\"MatMul\"", "layer." + std::to_string(i), {}};
    site.statistics.observe(random_values(4000, i), 40, i);
    s.sites.push_back(site);
  }
  s.sites[1].statistics.observe(std::vector<float>{1, 2}, 2, 5);  // varying columns, empty groups
  s.sites.push_back({"never", "never observed", {}});
  s.sites.push_back({"zeros", "only zeros", {}});
  s.sites.back().statistics.observe(std::vector<float>{0, -0.0f}, 0, 0);
  return s;
}

TEST(StatisticsFile, RoundTrip) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.calib.json";
  const Statistics s = example();
  save_statistics(s, path);
  EXPECT_TRUE(is_statistics_file(path));
  const Statistics back = load_statistics(path);
  EXPECT_EQ(back, s);
  EXPECT_EQ(to_json(back), to_json(s));
  EXPECT_EQ(back.find("never")->count(), 0u);
  EXPECT_EQ(back.find("nowhere"), nullptr);
}

TEST(StatisticsFile, HalvesMergeToTheSameBytes) {
  Statistics whole = example();
  Statistics first = example();
  Statistics second = example();
  for (size_t i = 0; i < whole.sites.size(); ++i) {
    const auto values = random_values(500, static_cast<uint32_t>(i) + 50);
    whole.sites[i].statistics.observe(values, 0, 9);
    first.sites[i].statistics = {};
    first.sites[i].statistics.observe(values, 0, 9);
  }
  first.provenance.examples = 30;
  first.provenance.tokens = 1000;
  first.part = {0, 30, 64};
  second.provenance.examples = 34;
  second.provenance.tokens = 234;
  second.part = {30, 64, 64};
  first = statistics_from_json(to_json(first), "first");
  first.append(statistics_from_json(to_json(second), "second"));
  EXPECT_EQ(to_json(first), to_json(whole));
}

TEST(StatisticsFile, OnlyPartsOfOneRunMerge) {
  Statistics a = example();
  a.part = {0, 64, 100};
  Statistics b = example();
  b.part = {64, 100, 100};
  b.provenance.examples = 36;
  const auto refused = [&](const std::string& part, auto change) {
    Statistics first = a;
    Statistics second = b;
    change(second);
    try {
      first.append(second);
      ADD_FAILURE() << "accepted: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_data);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  refused("the model (sha256 aaaaaaaaaaaa and bbbb",
          [](Statistics& s) { s.provenance.model_sha256 = std::string(64, 'b'); });
  refused("the data", [](Statistics& s) { s.provenance.data_sha256 = ""; });
  refused("the tokenizer", [](Statistics& s) { s.provenance.tokenizer_sha256 = ""; });
  refused("--max-length (128 and 64)", [](Statistics& s) { s.provenance.max_length = 64; });
  refused("--seed", [](Statistics& s) { s.provenance.seed = 2; });
  refused("the task", [](Statistics& s) { s.provenance.task = "cola"; });
  refused("the version", [](Statistics& s) { s.provenance.version = "0.0.1"; });
  refused("their Sites", [](Statistics& s) { std::swap(s.sites[0], s.sites[1]); });
  refused("their Sites", [](Statistics& s) { s.sites.pop_back(); });
  refused("examples 1 to 64 of 100 and examples 66 to 100 of 100 do not adjoin",
          [](Statistics& s) { s.part.begin = 65; });
  refused("do not adjoin", [](Statistics& s) { s.part.of = 101; });
  b.provenance.data_path = "/elsewhere/train.tsv";  // the same data in another place
  a.append(b);
  EXPECT_TRUE(a.part.whole());
  EXPECT_EQ(a.provenance.examples, 100);
}

TEST(StatisticsFile, PartsSayWhatTheyHold) {
  Statistics s = example();
  s.part = {10, 74, 100};
  EXPECT_EQ(statistics_from_json(to_json(s), "x"), s);
  EXPECT_EQ(s.part.text(), "examples 11 to 74 of 100");
}

TEST(StatisticsFile, OtherFilesAreNotStatistics) {
  const TemporaryFolder folder;
  EXPECT_FALSE(is_statistics_file(folder.write("a.json", "{}")));
  EXPECT_FALSE(is_statistics_file(folder.write("b.json", "")));
  EXPECT_FALSE(is_statistics_file(folder.path()));
  EXPECT_FALSE(is_statistics_file(folder.path() / "absent"));
}

std::string message_of(const std::string& bytes) {
  try {
    statistics_from_json(bytes, "x.calib.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_data) << error.what();
    return error.what();
  }
  return "";
}

TEST(StatisticsFile, EveryFlippedByteIsNoticed) {
  Statistics s = example();
  s.sites.resize(1);
  s.sites[0].statistics = {};
  s.sites[0].statistics.observe(std::vector<float>{1.5f, -2.25f, 0, 1000}, 4, 0);
  const std::string good = to_json(s);
  ASSERT_EQ(message_of(good), "");
  for (size_t i = 0; i < good.size(); ++i) {
    if (good[i] == '\n') continue;  // white space carries nothing
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    ASSERT_NE(message_of(bad), "") << i << ": " << good.substr(i, 20);
    ASSERT_NE(message_of(good.substr(0, i)), "") << "cut at " << i;
  }
}

// Returns a file with a wrong field and the right checksum.
std::string forged(const std::function<void(json&)>& change) {
  json file = json::parse(to_json(example()));
  change(file["content"]);
  file["checksum"] = sha256(file["content"].dump());
  return file.dump();
}

TEST(StatisticsFile, ForgedFieldsAreNamed) {
  ASSERT_EQ(message_of(forged([](json&) {})), "");
  const auto expect = [](const char* field, const std::function<void(json&)>& change) {
    const std::string message = message_of(forged(change));
    EXPECT_NE(message.find(field), std::string::npos) << field << ": " << message;
    EXPECT_NE(message.find("x.calib.json"), std::string::npos) << message;
    EXPECT_NE(message.find("fp8q calibrate"), std::string::npos) << message;
  };
  const auto site = [](json& c) -> json& { return c["sites"][0]; };
  expect("sites[0].count", [&](json& c) { site(c)["count"] = -1; });
  expect("sites[0].count", [&](json& c) { site(c)["count"] = 1.5; });
  expect("sites[0].count", [&](json& c) { site(c)["count"] = UINT64_MAX; });
  expect("sites[0].zeros", [&](json& c) { site(c)["zeros"] = 1'000'000; });
  expect("sites[0].histogram", [&](json& c) { site(c)["histogram"][1] = 3999; });
  expect("sites[0].histogram[0]", [&](json& c) { site(c)["histogram"][0] = 5000; });
  expect("sites[0].histogram[2]", [&](json& c) { site(c)["histogram"][2] = 0; });
  expect("sites[0].histogram", [&](json& c) { site(c)["histogram"].push_back(1); });
  expect("sites[0].sums[0]", [&](json& c) { site(c)["sums"][0][1] = INT64_MAX; });
  expect("sites[0].sums[0]", [&](json& c) { site(c)["sums"][0][2] = std::string(32, 'f'); });
  expect("sites[0].sums[0][2]", [&](json& c) { site(c)["sums"][0][2] = "0x1"; });
  expect("sites[0].sums[0]", [&](json& c) { site(c)["sums"][0].push_back(1); });
  expect("sites[0].max", [&](json& c) { site(c)["max"] = 1e30; });
  expect("sites[0].max", [&](json& c) { site(c)["max"] = 0.1; });
  expect("sites[0].min", [&](json& c) { site(c)["min"] = 1e308; });
  expect("sites[0].min", [&](json& c) { site(c)["min"] = nullptr; });
  expect("sites[0].columns", [&](json& c) { site(c)["columns"] = 1 << 20; });
  expect("sites[0].channel_absmax", [&](json& c) { site(c)["columns"] = 39; });
  expect("sites[0].channel_absmax", [&](json& c) { site(c)["channel_absmax"] = "zz"; });
  expect("sites[0].channel_absmax",
         [&](json& c) { site(c)["channel_absmax"].get_ref<std::string&>()[0] = 'f'; });
  expect("sites[0].groups", [&](json& c) { site(c)["groups"] = "7fc000007fc00000"; });
  expect("sites[0].groups", [&](json& c) { site(c)["groups"] = "00000000"; });
  expect("sites[1].value", [&](json& c) { c["sites"][1]["value"] = site(c)["value"]; });
  expect("sites[0]", [&](json& c) { site(c)["more"] = 1; });
  expect("sites[0]", [&](json& c) { site(c).erase("value"); });
  for (const Part& wrong :
       {Part{10, 73, 100}, Part{10, 74, 70}, Part{0, 64, 64}, Part{74, 10, 100}})
    expect("content.part", [&](json& c) {
      c["part"] = {{"begin", wrong.begin}, {"end", wrong.end}, {"of", wrong.of}};
    });
  expect("content.part", [&](json& c) { c["part"] = 1; });
  expect("provenance.seed", [&](json& c) { c["provenance"]["seed"] = "1"; });
  expect("provenance.data.builtin", [&](json& c) { c["provenance"]["data"]["builtin"] = 0; });
  expect("provenance.model", [&](json& c) { c["provenance"]["model"] = 0; });
}

TEST(StatisticsFile, WrongKindsOfJson) {
  EXPECT_NE(message_of(""), "");
  EXPECT_NE(message_of("[]"), "");
  EXPECT_NE(message_of("{\"schema\":\"fp8q/statistics/2\"}").find("fp8q/statistics/2"),
            std::string::npos);
  EXPECT_NE(message_of(std::string(100'000, '[')).find("nested"), std::string::npos);
  EXPECT_NE(message_of("{\"schema\":1," + to_json(example()).substr(1)).find("stands twice"),
            std::string::npos);
}

TEST(StatisticsFile, NamesThatAreNotUtf8AreRefused) {
  Statistics s = example();
  s.sites[0].value = "\xff";
  EXPECT_THROW(to_json(s), Error);
}

}  // namespace
}  // namespace fp8q::test
