#include "base/per_thread.h"

#include <gtest/gtest.h>

#include <thread>

namespace fp8q {
namespace {

struct Counted {
  Counted() { ++living; }
  ~Counted() { --living; }
  int value = 0;
  static inline int living = 0;
};

TEST(PerThread, AnObjectOfEachThreadGoesWithIt) {
  static const PerThread<Counted> objects;
  objects.own().value = 1;
  EXPECT_EQ(objects.own().value, 1);
  std::thread([] {
    EXPECT_EQ(objects.own().value, 0) << "not that of the other thread";
    EXPECT_EQ(Counted::living, 2);
  }).join();
  EXPECT_EQ(Counted::living, 1);
}

}  // namespace
}  // namespace fp8q
