#include "base/threads.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fp8q/error.h"

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

TEST(ParallelFor, RunsAtMostSoManyCallsSideBySide) {
  set_threads(4);
  for (const size_t side_by_side : {1, 2, 3}) {
    std::vector<int> visits(200, 0);
    std::atomic<size_t> inside = 0, most = 0;
    parallel_for(
        visits.size(),
        [&](size_t i) {
          for (size_t now = ++inside, old = most;
               old < now && !most.compare_exchange_weak(old, now);)
            now = inside;
          std::this_thread::yield();
          ++visits[i];
          --inside;
        },
        side_by_side);
    EXPECT_EQ(visits, std::vector<int>(200, 1));
    EXPECT_LE(most, side_by_side);
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

// A process that may not have the memory of 64 stacks works with the threads that it gets.
TEST(ParallelForDeathTest, WorksWithFewerThreadsThanItAsksFor) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer reserves more memory than the limit";
#endif
  const auto run_within_limit = [] {
    std::ifstream file("/proc/self/statm");
    rlim_t pages = 0;
    file >> pages;
    const rlim_t bytes = pages * static_cast<rlim_t>(getpagesize()) + (rlim_t{50} << 20);
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_AS, &limit);
    set_threads(64);
    std::atomic<int> visits = 0;
    parallel_for(1000, [&](size_t) { ++visits; });
    _exit(visits == 1000 ? 0 : 1);
  };
  EXPECT_EXIT(run_within_limit(), testing::ExitedWithCode(0), "");
}

TEST(ParallelFor, RefusesAWrongTimeToSpin) {
  for (const char* text : {"", "abc", "-1", "1000001", "99999999999999999999", "5 "}) {
    setenv("FP8Q_SPIN", text, 1);
    set_threads(1);
    set_threads(2);  // makes the threads anew
    try {
      parallel_for(2, [](size_t) {});
      ADD_FAILURE() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::usage);
      EXPECT_NE(std::string(e.what()).find("FP8Q_SPIN"), std::string::npos) << e.what();
    }
  }
  setenv("FP8Q_SPIN", "0", 1);
  std::atomic<int> visits = 0;
  parallel_for(100, [&](size_t) { ++visits; });
  EXPECT_EQ(visits, 100);
  unsetenv("FP8Q_SPIN");
  set_threads(0);
}

}  // namespace
}  // namespace fp8q
