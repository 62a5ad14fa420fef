#include "base/threads.h"

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "base/cpu_quota.h"
#include "base/error.h"

namespace fp8q {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::microseconds spin_time() {
  constexpr int kDefault = 200, kMost = 1000000;
  const char* wanted = std::getenv("FP8Q_SPIN");
  if (!wanted) return std::chrono::microseconds(kDefault);
  int microseconds = 0;
  const char* end = wanted + std::strlen(wanted);
  const auto [last, error] = std::from_chars(wanted, end, microseconds);
  if (error != std::errc() || last != end || microseconds < 0 || microseconds > kMost)
    fail(ErrorCode::usage, "FP8Q_SPIN={}: use a number of microseconds up to {}, or unset it",
         printable(wanted), kMost);
  return std::chrono::microseconds(microseconds);
}

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `value` is not `old`: spins, then sleeps. Who changes the value notifies.
void wait_for_change(const std::atomic<int>& value, int old, std::chrono::microseconds spin) {
  const Clock::time_point end = Clock::now() + spin;
  while (value.load(std::memory_order_acquire) == old) {
    if (Clock::now() >= end) {
      value.wait(old, std::memory_order_acquire);
      continue;
    }
    for (int i = 0; i < 16; ++i) pause_briefly();
  }
}

// Holds the work of one parallel_for.
class Work {
 public:
  Work(size_t count, const std::function<void(size_t)>& body, size_t most_threads)
      : count_(count), body_(body), most_threads_(most_threads), error_index_(count) {}

  // Takes indices until none is left, unless enough threads do.
  void take_part() {
    if (threads_.fetch_add(1, std::memory_order_relaxed) >= most_threads_) return;
    for (size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) {
      try {
        body_(i);
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (i < error_index_) {
          error_index_ = i;
          error_ = std::current_exception();
        }
      }
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  const size_t count_;
  const std::function<void(size_t)>& body_;
  const size_t most_threads_;
  std::atomic<size_t> threads_ = 0;
  std::atomic<size_t> next_ = 0;
  std::mutex error_mutex_;
  size_t error_index_;
  std::exception_ptr error_;
};

// Threads that help the one that calls run().
class Pool {
 public:
  // Where the system gives fewer helpers, for its limits of processes or memory, those do the work.
  explicit Pool(int helpers) : spin_(spin_time()) {
    try {
      for (int i = 0; i < helpers; ++i) threads_.emplace_back([this] { help(); });
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
    }
  }
  ~Pool() {
    ends_ = true;
    announce();
    for (std::thread& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Opens the work to the helpers, takes part, and closes it again. Helpers that have not joined by
  // then never will, so only those that have are waited for.
  void run(Work& work) {
    work_ = &work;
    inside_.store(kOpen, std::memory_order_release);
    announce();
    work.take_part();
    int inside = inside_.fetch_and(~kOpen, std::memory_order_acq_rel) & ~kOpen;
    while (inside != 0) {
      wait_for_change(inside_, inside, spin_);
      inside = inside_.load(std::memory_order_acquire);
    }
  }

 private:
  static constexpr int kOpen = 1 << 30;

  void announce() {
    announced_.fetch_add(1, std::memory_order_release);
    announced_.notify_all();
  }

  bool join() {
    int inside = inside_.load(std::memory_order_acquire);
    while (inside & kOpen)
      if (inside_.compare_exchange_weak(inside, inside + 1, std::memory_order_acq_rel)) return true;
    return false;
  }

  void help();

  const std::chrono::microseconds spin_;
  std::atomic<int> announced_ = 0;
  std::atomic<int> inside_ = 0;  // the number of helpers at work, and kOpen if more may join
  std::atomic<bool> ends_ = false;
  Work* work_ = nullptr;  // set while inside_ is not 0
  std::vector<std::thread> threads_;
};

// True within parallel_for, in the calling thread and in helpers.
thread_local bool at_work = false;

void Pool::help() {
  at_work = true;
  for (int seen = 0;;) {
    wait_for_change(announced_, seen, spin_);
    seen = announced_.load(std::memory_order_acquire);
    if (ends_) return;
    if (!join()) continue;
    work_->take_part();
    inside_.fetch_sub(1, std::memory_order_acq_rel);
    inside_.notify_all();
  }
}

struct Threads {
  std::mutex busy;             // held by the thread whose work the pool does
  std::atomic<int> count = 0;  // 0: not yet known
  std::unique_ptr<Pool> pool;  // made when there is work for several threads
};

Threads& all() {
  static Threads threads;
  return threads;
}

}  // namespace

int set_threads(int threads) {
  const std::lock_guard lock(all().busy);
  const int count = threads > 0 ? threads : usable_cores();
  if (count != all().count) all().pool.reset();
  all().count = count;
  return count;
}

int threads() {
  if (all().count == 0) return set_threads(0);
  return all().count;
}

void parallel_for(size_t count, const std::function<void(size_t)>& body, size_t side_by_side) {
  Work work(count, body, side_by_side);
  std::unique_lock lock(all().busy, std::defer_lock);
  if (at_work || count < 2 || threads() == 1 || !lock.try_lock()) {
    work.take_part();
    return work.rethrow();
  }
  if (!all().pool) all().pool = std::make_unique<Pool>(all().count - 1);
  at_work = true;
  all().pool->run(work);
  at_work = false;
  work.rethrow();
}

}  // namespace fp8q
