#include "tests/cuda_sim/launch.h"

#include <setjmp.h>
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "tests/cuda_sim/sim.h"

thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace fp8q::sim {
namespace {

constexpr size_t kStackBytes = 128 * 1024;
constexpr size_t kMostWords = 8;
constexpr size_t kGuardBytes = 256;

// Represents a set of threads that wait for each other.
struct Group {
  size_t members = 0;
  size_t arrived = 0;
  uint64_t generation = 0;

  void open() {
    arrived = 0;
    ++generation;
  }
};

struct Warp {
  Group group;
  std::vector<uint32_t> words = std::vector<uint32_t>(32 * kMostWords);
  std::vector<uint64_t> longs = std::vector<uint64_t>(32);
};

// A fiber is made once, with a stack of its own, and used again for every block. After the first
// entry, _longjmp switches fibers; unlike swapcontext it needs no system call.
struct Fiber {
  ucontext_t entry;
  jmp_buf where;
  bool entered = false;
  std::unique_ptr<std::byte[]> stack = std::make_unique<std::byte[]>(kStackBytes);
  dim3 thread;
  size_t warp = 0;
  int lane = 0;
  bool done = false;
  bool has_inputs = false;
  const Group* waits_for = nullptr;
  uint64_t generation = 0;

  bool runnable() const { return !done && (!waits_for || waits_for->generation != generation); }
};

// This is the block that runs now; blocks run one at a time.
struct Block {
  std::vector<std::unique_ptr<Fiber>> fibers;
  size_t size = 0, current = 0;
  std::vector<Warp> warps;
  Group all;
  std::vector<std::byte> shared;
  const std::function<void()>* kernel = nullptr;
  jmp_buf scheduler;
};
Block block;

Fiber& self() { return *block.fibers[block.current]; }

[[noreturn]] void die(const char* message) {
  std::fprintf(stderr, "GPU simulation: %s (block %u,%u thread %u)\n", message, blockIdx.x,
               blockIdx.y, threadIdx.x);
  std::abort();
}

void leave(Group& group) {
  --group.members;
  if (group.members > 0 && group.arrived == group.members) group.open();
}

void back_to_scheduler() {
  if (_setjmp(self().where) == 0) _longjmp(block.scheduler, 1);
}

void resume(Fiber& fiber) {
  if (_setjmp(block.scheduler) != 0) return;  // it waits or is done
  if (fiber.entered) _longjmp(fiber.where, 1);
  fiber.entered = true;
  setcontext(&fiber.entry);
}

void fiber_main() {
  for (;;) {  // one turn for each block
    (*block.kernel)();
    Fiber& me = self();
    me.done = true;
    leave(block.all);
    leave(block.warps[me.warp].group);
    back_to_scheduler();
  }
}

void wait(Group& group) {
  Fiber& me = self();
  if (++group.arrived == group.members) {
    group.open();
    return;
  }
  me.waits_for = &group;
  me.generation = group.generation;
  back_to_scheduler();
  me.waits_for = nullptr;
}

std::unique_ptr<Fiber> make_fiber() {
  auto fiber = std::make_unique<Fiber>();
  getcontext(&fiber->entry);
  fiber->entry.uc_stack.ss_sp = fiber->stack.get();
  fiber->entry.uc_stack.ss_size = kStackBytes;
  fiber->entry.uc_link = nullptr;
  makecontext(&fiber->entry, fiber_main, 0);
  return fiber;
}

void prepare(const LaunchShape& shape) {
  block.size = shape.block.x;
  while (block.fibers.size() < block.size) block.fibers.push_back(make_fiber());
  block.warps.resize((block.size + 31) / 32);
  for (Warp& warp : block.warps) warp.group = {};
  block.all = {.members = block.size};
  for (size_t i = 0; i < block.size; ++i) {
    Fiber& f = *block.fibers[i];
    f.thread = dim3(static_cast<unsigned>(i), 0, 0);
    f.warp = i / 32;
    f.lane = static_cast<int>(i % 32);
    f.done = false;
    f.has_inputs = false;
    f.waits_for = nullptr;
    ++block.warps[f.warp].group.members;
  }
  block.shared.assign(shape.shared_bytes + kGuardBytes + 16, std::byte{kPoison});
}

void run_block(const LaunchShape& shape) {
  prepare(shape);
  size_t left = block.size, idle = 0, next = 0;
  while (left > 0) {
    Fiber& f = *block.fibers[next];
    if (f.runnable()) {
      idle = 0;
      block.current = next;
      threadIdx = f.thread;
      resume(f);
      left -= f.done;
    } else if (++idle > block.size) {
      die("threads wait at different barriers");
    }
    next = (next + 1) % block.size;
  }
  const std::byte* guard = dynamic_shared() + shape.shared_bytes;
  for (size_t i = 0; i < kGuardBytes - 16; ++i)
    if (guard[i] != std::byte{kPoison}) die("a write beyond shared memory");
}

void run_grid(const LaunchShape& shape, const std::function<void()>& kernel) {
  blockDim = shape.block;
  gridDim = shape.grid;
  block.kernel = &kernel;
  for (unsigned y = 0; y < shape.grid.y; ++y)
    for (unsigned x = 0; x < shape.grid.x; ++x) {
      blockIdx = dim3(x, y, 0);
      run_block(shape);
    }
}

}  // namespace

void launch(const LaunchShape& shape, cudaStream_t stream, std::function<void()> kernel) {
  if (shape.grid.x == 0 || shape.grid.y == 0 || shape.grid.z != 1 || shape.block.y != 1 ||
      shape.block.x == 0 || shape.block.x > 1024 || shape.grid.y > 65535)
    die("a launch that the device refuses");
  submit(stream, [shape, kernel = std::move(kernel)] { run_grid(shape, kernel); });
}

std::byte* dynamic_shared() {
  auto address = reinterpret_cast<uintptr_t>(block.shared.data());
  return block.shared.data() + ((16 - address % 16) % 16);
}

void block_barrier() { wait(block.all); }
void warp_barrier() { wait(block.warps[self().warp].group); }
int lane() { return self().lane; }
void wait_for_inputs() { self().has_inputs = true; }
void require_wait_for_inputs() {
  if (!self().has_inputs) die("a thread ends that has not waited for its inputs");
}

const uint64_t* warp_gather(uint64_t mine) {
  Warp& warp = block.warps[self().warp];
  warp_barrier();  // no lane reads the last exchange any more
  warp.longs[static_cast<size_t>(lane())] = mine;
  warp_barrier();
  return warp.longs.data();
}

const uint32_t* warp_gather(const uint32_t* mine, size_t words) {
  if (words > kMostWords) die("too many words in a warp-wide operation");
  Warp& warp = block.warps[self().warp];
  warp_barrier();
  std::memcpy(&warp.words[static_cast<size_t>(lane()) * words], mine, words * sizeof(uint32_t));
  warp_barrier();
  return warp.words.data();
}

}  // namespace fp8q::sim

float __shfl_xor_sync(unsigned mask, float value, int lane_mask) {
  if (mask != 0xFFFFFFFFu) fp8q::sim::die("a shuffle of a part of the warp");
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t* all = fp8q::sim::warp_gather(&bits, 1);
  float result;
  std::memcpy(&result, &all[fp8q::sim::lane() ^ lane_mask], sizeof result);
  return result;
}
