// Tests a run of calibration with a fake model: what the model is asked for, and how the run
// continues.
#include "calibrate/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Returns two activations, of which the second has no channels, and a weight between them.
std::vector<Site> sites(const std::string& last = "p") {
  std::vector<Site> list(3);
  list[0].value = list[0].path = "x";
  list[1].value = list[1].path = "w";
  list[1].kind = SiteKind::weight;
  list[2].value = list[2].path = last;
  list[2].role = SiteRole::probabilities;
  return list;
}

// Example e has e % 3 + 1 tokens of two channels, and values of its own.
struct FakeModel {
  std::vector<std::pair<size_t, size_t>> runs;
  size_t fails_at = SIZE_MAX;

  ExampleRunner runner() {
    return [this](size_t begin, size_t end, const SeeValues& see) {
      size_t tokens = 0;
      for (size_t e = begin; e < end; ++e) {
        if (e == fails_at) throw std::runtime_error("interrupted");
        const size_t length = e % 3 + 1;
        for (size_t t = 0; t < length; ++t) {
          const auto value = static_cast<float>(e + 1) / 7;
          see(0, std::vector<float>{value, -2 * value}, 2);
          see(2, std::vector<float>{value / 100}, 1);
        }
        tokens += length;
      }
      runs.emplace_back(begin, end);
      return tokens;
    };
  }
};

class Run : public testing::Test {
 protected:
  fs::path checkpoint() const { return folder_.path() / "c.json"; }

  Statistics statistics(FakeModel& model, Part part, size_t batch,
                        const std::string& version = "1") {
    notes_.clear();
    const CalibrationRun run{.sites = sites_,
                             .part = part,
                             .provenance = {.version = version, .model_sha256 = "m"},
                             .batch = batch,
                             .checkpoint = checkpoint(),
                             .checkpoint_seconds = 0};
    return run_calibration(run, model.runner(), nullptr, notes_);
  }
  Statistics whole(size_t batch = 7) {
    FakeModel model;
    fs::remove(checkpoint());
    return statistics(model, kAll, batch);
  }
  // Leaves a checkpoint of the examples before `at`.
  void interrupt(size_t at, Part part = kAll) {
    fs::remove(checkpoint());
    FakeModel model{.runs = {}, .fails_at = at};
    EXPECT_THROW(statistics(model, part, 5), std::runtime_error);
    ASSERT_TRUE(fs::exists(checkpoint()));
  }

  static constexpr Part kAll{0, 70, 70};
  TemporaryFolder folder_;
  std::vector<Site> sites_ = sites();
  std::vector<std::string> notes_;
};

TEST_F(Run, RecordsActivationsOfAllExamples) {
  const Statistics found = whole();
  ASSERT_EQ(found.sites.size(), 2u);
  EXPECT_EQ(found.sites[0].value, "x");
  EXPECT_EQ(found.sites[1].value, "p");
  EXPECT_TRUE(found.part.whole());
  EXPECT_EQ(found.provenance.examples, 70);
  EXPECT_EQ(found.provenance.tokens, 139);  // 23 times 1 + 2 + 3, and the last one
  EXPECT_EQ(found.sites[0].statistics.count(), 2u * 139);
  EXPECT_EQ(found.sites[1].statistics.count(), 139u);
  EXPECT_THAT(found.sites[0].statistics.channel_absmax(), ElementsAre(10.0f, 20.0f));
  EXPECT_THAT(found.sites[1].statistics.channel_absmax(), IsEmpty());
}

TEST_F(Run, NeverCrossesAGroupOfMovingRanges) {
  FakeModel model;
  statistics(model, kAll, 20);
  EXPECT_THAT(model.runs, ElementsAre(std::pair(0, 20), std::pair(20, 32), std::pair(32, 52),
                                      std::pair(52, 64), std::pair(64, 70)));
  for (const size_t batch : {1, 32, 100}) EXPECT_EQ(whole(batch), whole(20)) << batch;
}

TEST_F(Run, TellsHowFarItIs) {
  FakeModel model;
  std::vector<std::pair<size_t, size_t>> told;
  const CalibrationRun run{.sites = sites_,
                           .part = {30, 40, 70},
                           .provenance = {},
                           .batch = 4,
                           .checkpoint = checkpoint(),
                           .checkpoint_seconds = 1e9};
  run_calibration(
      run, model.runner(),
      [&](std::string_view, size_t done, size_t total) { told.emplace_back(done, total); }, notes_);
  EXPECT_THAT(told, ElementsAre(std::pair(2, 10), std::pair(6, 10), std::pair(10, 10)));
  EXPECT_FALSE(fs::exists(checkpoint())) << "it is not time for one";
}

TEST_F(Run, GoesOnFromACheckpointToTheSameStatistics) {
  const Statistics expected = whole();
  interrupt(43);
  FakeModel model;
  EXPECT_EQ(statistics(model, kAll, 9), expected);
  EXPECT_EQ(model.runs.front().first, 42u);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("went on from")));
  EXPECT_THAT(notes_.front(), HasSubstr("after example 42 of 70"));
}

TEST_F(Run, PartsMergeToTheWhole) {
  FakeModel model;
  Statistics first = statistics(model, {0, 33, 70}, 8);
  fs::remove(checkpoint());
  first.append(statistics(model, {33, 70, 70}, 8));
  EXPECT_EQ(first, whole());
}

TEST_F(Run, ACheckpointOfAnotherRunIsNotUsed) {
  const Statistics expected = whole();
  const auto not_used = [&](const std::string& why, Part part = kAll,
                            const std::string& version = "1") {
    FakeModel model;
    const Statistics found = statistics(model, part, 9, version);
    EXPECT_EQ(model.runs.front().first, static_cast<size_t>(part.begin)) << why;
    EXPECT_THAT(notes_, ElementsAre(HasSubstr("was not used: " + why)));
    return found;
  };
  interrupt(43);
  not_used("it differs in the version", kAll, "2");
  interrupt(43, {10, 70, 70});
  EXPECT_EQ(not_used("it is of other examples (examples 11 to"), expected);
  interrupt(43);
  not_used("it is of other examples", {0, 20, 70});
  interrupt(43);
  sites_ = sites("q");
  not_used("it differs in the Sites");
  sites_ = sites();
  std::ofstream(checkpoint()) << "mine";
  EXPECT_EQ(not_used(checkpoint().string()), expected);
}

}  // namespace
}  // namespace fp8q::test
