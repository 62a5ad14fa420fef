#include "base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace fp8q {
namespace {

TEST(ParallelFor, VisitsEachIndexOnce) {
  for (const int n : {1, 2, 5}) {
    EXPECT_EQ(set_threads(n), n);
    std::vector<int> visits(1000, 0);
    parallel_for(visits.size(), [&](size_t i) { ++visits[i]; });
    EXPECT_EQ(visits, std::vector<int>(1000, 1));
  }
  set_threads(0);
}

TEST(ParallelFor, RethrowsTheFirstError) {
  set_threads(2);
  for (int round = 0; round < 20; ++round) {
    try {
      parallel_for(100, [](size_t i) {
        if (i % 10 == 7) throw std::runtime_error(std::to_string(i));
      });
      FAIL();
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "7");
    }
  }
  set_threads(0);
}

// Work within work, and that of a second thread, is done by the thread that asks for it.
TEST(ParallelFor, CanBeCalledFromWithinAndFromSeveralThreads) {
  set_threads(3);
  std::vector<std::atomic<int>> visits(400);
  const auto nested = [&](size_t first) {
    for (int round = 0; round < 50; ++round)
      parallel_for(
          10, [&](size_t i) { parallel_for(10, [&](size_t j) { ++visits[first + 10 * i + j]; }); });
  };
  std::thread other([&] { nested(200); });
  nested(0);
  other.join();
  for (size_t i = 0; i < visits.size(); ++i) EXPECT_EQ(visits[i], i % 200 < 100 ? 50 : 0) << i;
  set_threads(0);
}

// Every thread sees what the others wrote before the work began and during earlier work.
TEST(ParallelFor, OrdersMemory) {
  set_threads(4);
  std::vector<size_t> values(64, 0);
  for (size_t round = 1; round <= 2000; ++round) {
    parallel_for(values.size(), [&](size_t i) { ++values[i]; });
    const size_t sum = std::accumulate(values.begin(), values.end(), size_t{0});
    ASSERT_EQ(sum, 64 * round);
  }
  set_threads(0);
}

TEST(ParallelFor, ThreadsShareTheWork) {
  set_threads(2);
  // Two calls that wait for each other end only if two threads run them.
  std::atomic<int> arrived = 0;
  parallel_for(2, [&](size_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
  set_threads(0);
}

}  // namespace
}  // namespace fp8q
