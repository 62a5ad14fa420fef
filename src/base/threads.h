// The whole process has one pool of threads.
//
// Work passed to parallel_for must not depend on how it is divided. Every result of fp8q is bit for
// bit the same for any number of threads.
//
// A thread that waits for work spins for a moment and then sleeps: FP8Q_SPIN in the environment
// says for how many microseconds (200, at most 1000000). Threads that meet several times in a layer
// must spin. If they sleep, waking them takes 80 to 100 us, measured on a virtual machine, and one
// sequence of 32 tokens through a MiniLM takes twice the time. If they spin for long, they take
// time from other threads on a shared machine.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>

namespace fp8q {

// Sets the number of threads of all parallel work. 0 means all cores that this process may run on,
// or fewer if a quota of its control group grants less time than that (rounded up). Returns the
// number in force, which limits those that work: there may be fewer where the system starts no
// more. Negative numbers count as 0. Must not be called within parallel_for.
int set_threads(int threads);
int threads();

// Calls body(i) for i in [0, count), distributed dynamically. The calling thread takes part, and
// does everything by itself if it is already within a parallel_for or if another thread is. Threads
// that the system has not yet given a core do not delay it. If bodies throw exceptions, the one
// with the lowest index is rethrown here after all calls have ended, so that errors are
// deterministic. At most `side_by_side` calls run at the same time.
void parallel_for(size_t count, const std::function<void(size_t)>& body,
                  size_t side_by_side = std::numeric_limits<size_t>::max());

}  // namespace fp8q
