#include "engine/cpu/micro_batch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/threads.h"
#include "tiny_encoder.h"

namespace fp8q::test {
namespace {

class MicroBatches : public testing::Test {
 protected:
  void TearDown() override { set_threads(0); }
};

// Expects every token once, in order, with the bounds of its sequence.
void expect_whole(const PackedBatch& batch, const cpu::Division& division) {
  size_t sequence = 0;
  for (const cpu::MicroBatch& m : division.micros) {
    EXPECT_EQ(m.first_sequence, sequence);
    EXPECT_EQ(m.first_token, static_cast<size_t>(batch.offsets[sequence]));
    ASSERT_EQ(m.offsets.size(), m.sequences + 1);
    EXPECT_EQ(m.offsets.back(), static_cast<int32_t>(m.tokens));
    for (size_t s = 0; s <= m.sequences; ++s)
      EXPECT_EQ(m.offsets[s], batch.offsets[sequence + s] - batch.offsets[sequence]);
    sequence += m.sequences;
  }
  EXPECT_EQ(sequence, batch.sequences());
}

TEST_F(MicroBatches, OfEqualSequencesAreEqualForAllThreads) {
  set_threads(2);
  const cpu::Division division = cpu::divide(tiny_batch(std::vector<size_t>(8, 32)), false);
  EXPECT_TRUE(division.side_by_side);
  ASSERT_EQ(division.micros.size(), 2u);  // not three of 96, 96 and 64 tokens
  for (const cpu::MicroBatch& m : division.micros) EXPECT_EQ(m.tokens, 128u);
}

TEST_F(MicroBatches, DifferByNoMoreThanASequence) {
  for (const int workers : {2, 3, 7}) {
    set_threads(workers);
    for (const size_t sequences : {64, 300, 1000}) {
      std::vector<size_t> lengths;
      for (size_t i = 0; i < sequences; ++i) lengths.push_back(1 + i * 37 % 64);
      const PackedBatch batch = tiny_batch(lengths);
      const cpu::Division division = cpu::divide(batch, false);
      SCOPED_TRACE(testing::Message() << workers << " threads, " << sequences << " sequences");
      expect_whole(batch, division);
      EXPECT_TRUE(division.side_by_side);
      EXPECT_EQ(division.micros.size() % static_cast<size_t>(workers), 0u);
      const size_t even = batch.tokens() / division.micros.size();
      for (const cpu::MicroBatch& m : division.micros) {
        EXPECT_LE(m.tokens, std::min<size_t>(even, 512) + 64);
        EXPECT_GE(m.tokens + 64, even);
      }
    }
  }
}

TEST_F(MicroBatches, OfFewTokensOrInOrderComeOneAfterAnother) {
  set_threads(2);
  const PackedBatch few = tiny_batch({30, 40}), many = tiny_batch(std::vector<size_t>(40, 60));
  EXPECT_EQ(cpu::divide(few, false).micros.size(), 1u);
  EXPECT_FALSE(cpu::divide(few, false).side_by_side);
  const cpu::Division in_order = cpu::divide(many, true);
  EXPECT_FALSE(in_order.side_by_side);
  expect_whole(many, in_order);
  for (const cpu::MicroBatch& m : in_order.micros) EXPECT_LE(m.tokens, 512u);
}

TEST_F(MicroBatches, NeverHaveMoreTokensUnderWayThanTheBound) {
  unsigned state = 1;
  const auto random = [&](size_t most) { return 1 + (state = state * 1664525u + 1u) / 7 % most; };
  for (int round = 0; round < 300; ++round) {
    set_threads(static_cast<int>(random(5)));
    const size_t longest = random(64);
    std::vector<size_t> lengths(random(120));
    for (size_t& length : lengths) length = random(longest);
    const PackedBatch batch = tiny_batch(lengths);
    for (const bool in_order : {false, true}) {
      const cpu::UnderWay bound = cpu::most_under_way(batch.tokens(), longest, in_order);
      const cpu::Division division = cpu::divide(batch, in_order);
      EXPECT_LE(division.side_by_side ? static_cast<size_t>(threads()) : 1, bound.side_by_side);
      for (const cpu::MicroBatch& m : division.micros) EXPECT_LE(m.tokens, bound.tokens);
    }
  }
}

}  // namespace
}  // namespace fp8q::test
