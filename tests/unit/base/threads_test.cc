#include "base/threads.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
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

}  // namespace
}  // namespace fp8q
