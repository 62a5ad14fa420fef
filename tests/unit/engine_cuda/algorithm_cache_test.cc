#include "engine/cuda/algorithm_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "tests/cuda_sim/simulated_test.h"
#include "tests/support/paths.h"
#include "tests/unit/engine_cuda/engine_cuda_testing.h"

namespace fp8q::cuda {
namespace {

using testing::HasSubstr;

const MachineKey kKey = {"NVIDIA H100 80GB HBM3", 90, 13000, 130100};

MatmulShape shape(int64_t tokens) {
  return {
      .tokens = tokens, .n = 768, .k = 3072, .weights = OperandType::e4m3, .x = OperandType::e4m3};
}

// Fills an algorithm with all bit patterns, including the sign bit of a word.
TimedAlgorithm algorithm(uint64_t seed) {
  TimedAlgorithm result;
  for (uint64_t& word : result.algorithm.data) word = seed *= 0x9E3779B97F4A7C15;
  result.microseconds = 12.25;
  return result;
}

bool same(const std::optional<TimedAlgorithm>& a, const TimedAlgorithm& b) {
  return a && std::memcmp(&a->algorithm, &b.algorithm, sizeof a->algorithm) == 0 &&
         a->microseconds == b.microseconds;
}

class AlgorithmCacheTest : public testing::Test {
 protected:
  AlgorithmCache open(const MachineKey& key = kKey) const { return {folder_.path(), key}; }
  // Saves a file with an entry for shape(1), and returns its path.
  fs::path saved() const {
    AlgorithmCache cache = open();
    cache.put(shape(1), algorithm(1));
    cache.save();
    EXPECT_EQ(cache.note(), "");
    return *cache.path();
  }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_.path()), {}));
  }

  test::TemporaryFolder folder_;
};

TEST_F(AlgorithmCacheTest, RemembersFromRunToRun) {
  AlgorithmCache cache = open();
  EXPECT_EQ(cache.find(shape(1)), std::nullopt);
  EXPECT_EQ(cache.note(), "");  // no file yet: nothing to say
  cache.put(shape(1), algorithm(1));
  cache.put(shape(2), algorithm(2));
  EXPECT_TRUE(same(cache.find(shape(1)), algorithm(1)));
  EXPECT_EQ(files(), 0u);  // written by save() only
  cache.save();
  EXPECT_EQ(files(), 1u);
  const AlgorithmCache next = open();
  EXPECT_TRUE(same(next.find(shape(1)), algorithm(1)));
  EXPECT_TRUE(same(next.find(shape(2)), algorithm(2)));
  EXPECT_EQ(next.find(shape(3)), std::nullopt);
  EXPECT_EQ(next.note(), "");
}

TEST_F(AlgorithmCacheTest, TellsShapesApart) {
  AlgorithmCache cache = open();
  cache.put(shape(1), algorithm(1));
  MatmulShape other = shape(1);
  other.fast_accumulation = true;
  EXPECT_EQ(cache.find(other), std::nullopt);
  other = shape(1);
  other.x = OperandType::e5m2;
  EXPECT_EQ(cache.find(other), std::nullopt);
  other = shape(1);
  other.sums = SumType::f32;
  EXPECT_EQ(cache.find(other), std::nullopt);
}

TEST_F(AlgorithmCacheTest, IsNotWrittenWithoutNews) {
  const fs::path path = saved();
  fs::remove(path);
  AlgorithmCache cache = open();
  cache.save();
  EXPECT_EQ(files(), 0u);
}

TEST_F(AlgorithmCacheTest, ForgetsWhatAnotherDriverOrLibraryMeant) {
  const fs::path path = saved();
  MachineKey driver = kKey, library = kKey;
  driver.driver_version = 13010;
  library.cublaslt_version = 130200;
  for (const MachineKey& key : {driver, library}) {
    AlgorithmCache cache = open(key);
    EXPECT_EQ(cache.path(), path);
    EXPECT_EQ(cache.find(shape(1)), std::nullopt);
    EXPECT_THAT(cache.note(), HasSubstr("another GPU, driver or cuBLASLt"));
  }
  AlgorithmCache cache = open(driver);
  cache.put(shape(2), algorithm(2));
  cache.save();
  EXPECT_EQ(open().find(shape(1)), std::nullopt);
  EXPECT_EQ(open(driver).find(shape(1)), std::nullopt);
  EXPECT_TRUE(same(open(driver).find(shape(2)), algorithm(2)));
}

TEST_F(AlgorithmCacheTest, KeepsGpusApart) {
  saved();
  MachineKey other = kKey;
  other.gpu = "NVIDIA H200 (../x)";
  AlgorithmCache cache = open(other);
  EXPECT_EQ(cache.path()->filename(), "cublaslt-nvidia-h200-x-sm90.json");
  EXPECT_EQ(cache.note(), "");
  cache.put(shape(1), algorithm(7));
  cache.save();
  EXPECT_TRUE(same(open().find(shape(1)), algorithm(1)));
  // Names that make the same file name are still told apart.
  other.gpu = "NVIDIA H200 [x]";
  EXPECT_EQ(open(other).path(), cache.path());
  EXPECT_EQ(open(other).find(shape(1)), std::nullopt);
}

TEST_F(AlgorithmCacheTest, ADamagedFileIsReplaced) {
  const fs::path path = saved();
  const std::string good = read_file(path, 1 << 20);
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::string hex = good.substr(good.find("\"algorithm\": \"") + 14, 128);
  const std::string damaged[] = {
      "",
      "not JSON",
      "[]",
      "{}",
      good.substr(0, good.size() / 2),
      replaced("fp8q/cublaslt-algorithms/1", "fp8q/cublaslt-algorithms/2"),
      replaced("\"algorithms\"", "\"other\""),
      replaced("\"algorithms\"", "\"algorithms\": {}, \"algorithms\""),
      replaced(hex, hex.substr(1)),
      replaced(hex, hex + "0"),
      replaced(hex, "g" + hex.substr(1)),
      replaced(hex, hex.substr(0, 120) + "g" + hex.substr(121)),
      replaced(hex, "-" + hex.substr(1)),
      replaced("12.25", "\"fast\""),
      replaced("12.25", "-1"),
      replaced("12.25", "1e999"),
      replaced("\"microseconds\"", "\"time\""),
  };
  for (const std::string& text : damaged) {
    write_file_atomically(path, text);
    AlgorithmCache cache = open();
    EXPECT_EQ(cache.find(shape(1)), std::nullopt) << text;
    EXPECT_THAT(cache.note(), HasSubstr(path.string())) << text;
    cache.put(shape(2), algorithm(2));
    cache.save();
    EXPECT_TRUE(same(open().find(shape(2)), algorithm(2))) << text;
    EXPECT_EQ(open().find(shape(1)), std::nullopt) << text;
  }
  EXPECT_EQ(files(), 1u);
}

TEST_F(AlgorithmCacheTest, AnUnreadableFileIsNoError) {
  fs::create_directory(folder_.path() / "cublaslt-nvidia-h100-80gb-hbm3-sm90.json");
  AlgorithmCache cache = open();
  EXPECT_THAT(cache.note(), HasSubstr("is a folder"));
  cache.put(shape(1), algorithm(1));
  cache.save();
  EXPECT_THAT(cache.note(), HasSubstr("not written"));
  EXPECT_TRUE(same(cache.find(shape(1)), algorithm(1)));
}

TEST_F(AlgorithmCacheTest, TwoWritersKeepEachOthersEntries) {
  AlgorithmCache first = open(), second = open();
  first.put(shape(1), algorithm(1));
  first.put(shape(3), algorithm(3));
  second.put(shape(2), algorithm(2));
  second.put(shape(3), algorithm(33));
  first.save();
  second.save();
  const AlgorithmCache merged = open();
  EXPECT_TRUE(same(merged.find(shape(1)), algorithm(1)));
  EXPECT_TRUE(same(merged.find(shape(2)), algorithm(2)));
  EXPECT_TRUE(same(merged.find(shape(3)), algorithm(33)));  // the last one's
}

TEST_F(AlgorithmCacheTest, KeepsItsEntriesWhenTheFileVanishes) {
  const fs::path path = saved();
  AlgorithmCache cache = open();
  fs::remove(path);
  cache.put(shape(2), algorithm(2));
  cache.save();
  EXPECT_TRUE(same(open().find(shape(1)), algorithm(1)));
  EXPECT_TRUE(same(open().find(shape(2)), algorithm(2)));
}

TEST_F(AlgorithmCacheTest, MakesItsFolder) {
  const fs::path folder = folder_.path() / "a" / "b";
  AlgorithmCache cache(folder, kKey);
  cache.put(shape(1), algorithm(1));
  cache.save();
  EXPECT_TRUE(same(AlgorithmCache(folder, kKey).find(shape(1)), algorithm(1)));
}

TEST_F(AlgorithmCacheTest, GoesOnWhereNothingCanBeWritten) {
  const fs::path file = folder_.write("file", "");
  AlgorithmCache cache(file / "below", kKey);  // not even root can make that folder
  cache.put(shape(1), algorithm(1));
  cache.save();
  EXPECT_THAT(cache.note(), HasSubstr("not written"));
  EXPECT_TRUE(same(cache.find(shape(1)), algorithm(1)));

  AlgorithmCache nowhere(std::nullopt, kKey);
  EXPECT_THAT(nowhere.note(), HasSubstr("FP8Q_CACHE_DIR"));
  nowhere.put(shape(1), algorithm(1));
  nowhere.save();
  EXPECT_TRUE(same(nowhere.find(shape(1)), algorithm(1)));
}

TEST(AlgorithmCacheFolder, FollowsTheEnvironment) {
  const auto set = [](const char* name, const char* value) {
    if (value) setenv(name, value, 1);
    else unsetenv(name);
  };
  set("FP8Q_CACHE_DIR", "/one");
  set("XDG_CACHE_HOME", "/two");
  set("HOME", "/three");
  EXPECT_EQ(AlgorithmCache::default_folder(), fs::path("/one"));
  set("FP8Q_CACHE_DIR", "");
  EXPECT_EQ(AlgorithmCache::default_folder(), fs::path("/two/fp8q"));
  set("XDG_CACHE_HOME", nullptr);
  EXPECT_EQ(AlgorithmCache::default_folder(), fs::path("/three/.cache/fp8q"));
  set("HOME", nullptr);
  EXPECT_EQ(AlgorithmCache::default_folder(), std::nullopt);
}

using MachineKeyTest = sim::SimulatedTest;

TEST_F(MachineKeyTest, IsReadFromTheMachine) {
  sim::set_cublaslt_version(130300);
  const MatmulContext context(sim::cublaslt(), h100());
  EXPECT_EQ(MachineKey::of(context), (MachineKey{"NVIDIA H100 80GB HBM3", 90, 13000, 130300}));
}

}  // namespace
}  // namespace fp8q::cuda
