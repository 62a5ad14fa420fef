#include "engine/cuda/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cuda_sim/simulated_test.h"
#include "tests/unit/engine_cuda/engine_cuda_testing.h"

namespace fp8q::cuda {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Runtime = sim::SimulatedTest;

TEST_F(Runtime, MemoryGrowsAndIsReused) {
  DeviceBuffer<float> buffer;
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_EQ(buffer.grow(0, "nothing"), nullptr);
  float* first = buffer.grow(100, "x");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 256, 0u);
  EXPECT_EQ(buffer.grow(60, "x"), first);
  EXPECT_EQ(buffer.capacity(), 100u);
  EXPECT_EQ(sim::counters().allocations, 1u);
  buffer.grow(200, "x");
  EXPECT_EQ(buffer.capacity(), 200u);
  EXPECT_EQ(sim::counters().device_allocations, 1u);
  EXPECT_EQ(sim::counters().device_bytes, 800u);
}

TEST_F(Runtime, MemoryMovesWithItsOwner) {
  DeviceBuffer<float> a(10, "a");
  const DeviceBuffer<float> b = std::move(a);
  EXPECT_NE(b.data(), nullptr);
  EXPECT_EQ(sim::counters().device_allocations, 1u);
}

TEST_F(Runtime, OutOfDeviceMemorySaysForWhatHowMuchAndWhatToDo) {
  sim::set_device({.memory_bytes = size_t{3} << 20});
  DeviceBuffer<std::byte> first(size_t{1} << 20, "weights");
  DeviceBuffer<std::byte> buffer(1000, "activations");
  const auto [code, message] = raised_by([&] { buffer.grow(size_t{5} << 20, "activations"); });
  EXPECT_EQ(code, ErrorCode::limit);
  EXPECT_THAT(message, AllOf(HasSubstr("activations"), HasSubstr("no 5.0 MiB"),
                             HasSubstr("2.0 MiB of 3.0 MiB are free"), HasSubstr("--batch")));
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_NO_THROW(check_launches("next step"));
  EXPECT_NE(buffer.grow(1000, "activations"), nullptr);
}

TEST_F(Runtime, OutOfPinnedMemory) {
  sim::fail_next("cudaHostAlloc", cudaErrorMemoryAllocation);
  const auto [code, message] = raised_by([] { PinnedBuffer<int>(1000, "results"); });
  EXPECT_EQ(code, ErrorCode::limit);
  EXPECT_THAT(message, AllOf(HasSubstr("results"), HasSubstr("pinned"), HasSubstr("4000 bytes")));
}

TEST_F(Runtime, MemoryFailsForOtherReasons) {
  sim::fail_next("cudaMalloc", cudaErrorInvalidValue);
  EXPECT_EQ(raised_by([] { DeviceBuffer<int>(1000, "x"); }).first, ErrorCode::device);
  EXPECT_NO_THROW(check_launches("the next step"));  // reported once
}

TEST_F(Runtime, CopiesAndFills) {
  const StreamHandle stream;
  DeviceBuffer<int> device(4, "x");
  PinnedBuffer<int> in(4, "x"), out(4, "x");
  for (int i = 0; i < 4; ++i) in.data()[i] = 10 + i;
  copy_to_device(device.data(), in.data(), 4 * sizeof(int), stream.get());
  fill_bytes(device.data() + 1, 0, sizeof(int), stream.get());
  copy_to_host(out.data(), device.data(), 4 * sizeof(int), stream.get());
  copy_to_host(nullptr, nullptr, 0, stream.get());
  stream.synchronize("copies");
  EXPECT_THAT(std::vector<int>(out.data(), out.data() + 4), testing::ElementsAre(10, 0, 12, 13));
  EXPECT_EQ(raised_by([&] { copy_to_device(device.data(), in.data(), 20, stream.get()); }).first,
            ErrorCode::device);
}

TEST_F(Runtime, ARefusedLaunchIsReportedOnce) {
  const StreamHandle stream;
  bool ran = false;
  sim::fail_next("launch", cudaErrorInvalidConfiguration);
  sim::submit(stream.get(), [&] { ran = true; });
  EXPECT_FALSE(ran);
  const auto [code, message] = raised_by([] { check_launches("layer 3: attention"); });
  EXPECT_EQ(code, ErrorCode::device);
  EXPECT_THAT(message,
              AllOf(HasSubstr("layer 3: attention"), HasSubstr("invalid configuration argument"),
                    HasSubstr("cudaErrorInvalidConfiguration"), Not(HasSubstr("again"))));
  EXPECT_NO_THROW(check_launches("layer 3: output"));
}

TEST_F(Runtime, AnErrorThatSpoilsTheProcessSaysSo) {
  const StreamHandle stream;
  const DeviceBuffer<int> buffer(4, "x");
  const Event event;
  sim::fail_next("cudaStreamSynchronize", cudaErrorIllegalAddress);
  const auto [code, message] = raised_by([&] { stream.synchronize("layer 3"); });
  EXPECT_EQ(code, ErrorCode::device);
  EXPECT_THAT(message, AllOf(HasSubstr("layer 3"), HasSubstr("illegal memory access"),
                             HasSubstr("or in a step before"), HasSubstr("started again")));
  EXPECT_THAT(raised_by([] { DeviceBuffer<int>(4, "y"); }).second, HasSubstr("started again"));
  EXPECT_THAT(raised_by([] { check_launches("z"); }).second, HasSubstr("started again"));
}  // the destructors meet the same error and say nothing

TEST_F(Runtime, CodeForAnotherGpuIsExplained) {
  EXPECT_THAT(raised_by([] { check(cudaErrorNoKernelImageForDevice, "start"); }).second,
              HasSubstr("without code for this GPU"));
  EXPECT_EQ(raised_by([] { check(cudaErrorMemoryAllocation, "start"); }).first, ErrorCode::limit);
}

TEST_F(Runtime, HandlesThatCannotBeMade) {
  for (const char* function :
       {"cudaStreamCreateWithFlags", "cudaEventCreateWithFlags", "cudaStreamBeginCapture",
        "cudaStreamEndCapture", "cudaGraphInstantiate"}) {
    sim::fail_next(function, cudaErrorInvalidValue);
    const auto code = raised_by([] {
                        const StreamHandle stream;
                        const Event event;
                        capture(stream.get(), [] {});
                      }).first;
    EXPECT_EQ(code, ErrorCode::device) << function;
  }
}

TEST_F(Runtime, EventsMeasureTheDevicesTime) {
  const StreamHandle stream;
  Event from, to;
  from.record(stream.get());
  sim::submit(stream.get(), [] { sim::take_microseconds(1500); });
  to.record(stream.get());
  to.synchronize();
  EXPECT_NEAR(Event::milliseconds(from, to), 1.5, 1e-6);
}

TEST_F(Runtime, AGraphRunsWhatWasCaptured) {
  const StreamHandle stream;
  int runs = 0;
  const GraphExec graph = capture(stream.get(), [&] {
    sim::submit(stream.get(), [&] { ++runs; });
    sim::submit(stream.get(), [&] { ++runs; });
  });
  EXPECT_EQ(runs, 0);
  EXPECT_TRUE(graph);
  EXPECT_FALSE(GraphExec());
  graph.launch(stream.get());
  graph.launch(stream.get());
  EXPECT_EQ(runs, 4);
  EXPECT_EQ(sim::counters().launches, 4u);
  EXPECT_EQ(sim::counters().graph_launches, 2u);
}

TEST_F(Runtime, CapturingMustNotAllocateOrWait) {
  const StreamHandle stream;
  DeviceBuffer<int> buffer;
  EXPECT_EQ(raised_by([&] { capture(stream.get(), [&] { buffer.grow(4, "x"); }); }).first,
            ErrorCode::device);
  EXPECT_EQ(raised_by([&] { capture(stream.get(), [&] { stream.synchronize("x"); }); }).first,
            ErrorCode::device);
  EXPECT_NO_THROW(check_launches("after"));
  EXPECT_TRUE(capture(stream.get(), [] {}));
}

TEST_F(Runtime, ACaptureThatThrowsLeavesTheStreamUsable) {
  const StreamHandle stream;
  int runs = 0;
  const auto work = [&] { sim::submit(stream.get(), [&] { ++runs; }); };
  EXPECT_EQ(raised_by([&] {
              capture(stream.get(), [&] {
                work();
                fail(ErrorCode::unsupported, "no");
              });
            }).first,
            ErrorCode::unsupported);
  work();
  EXPECT_EQ(runs, 1);
}

TEST_F(Runtime, ALaunchRefusedWhileCapturingFailsTheCapture) {
  const StreamHandle stream;
  sim::fail_next("launch", cudaErrorInvalidConfiguration);
  EXPECT_EQ(
      raised_by([&] { capture(stream.get(), [&] { sim::submit(stream.get(), [] {}); }); }).first,
      ErrorCode::device);
}

}  // namespace
}  // namespace fp8q::cuda
