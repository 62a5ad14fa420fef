// Decides which operation of the program fails, and counts all of them.
//
// FP8Q_FAULT says which: "<kind> <number> <what happens>", for example "allocation 12 once". What
// happens is "once" (this one fails), "onwards" (all from here on fail), "interrupted" (EINTR),
// "short" (half is done) or "dies" (SIGKILL, after it is done). FP8Q_FAULT_COUNTS names a file that
// gets, at the end, how many there were of each kind.
#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "tests/fault/kinds.h"

namespace fp8q::test {

enum class Effect { none, once, onwards, interrupted, shortened, dies };

// Counts an operation and returns what is to happen to it.
Effect next(FaultKind kind);

inline void fail_with(FaultKind kind) { errno = kFaultKinds[static_cast<size_t>(kind)].error; }

// Performs an operation that returns `failed` with errno on failure. `half` does half of it.
template <typename Whole, typename Half, typename Result>
Result perform(FaultKind kind, const Whole& whole, const Half& half, Result failed) {
  switch (next(kind)) {
    case Effect::none:
      return whole();
    case Effect::shortened:
      return half();
    case Effect::interrupted:
      errno = EINTR;
      return failed;
    case Effect::dies:
      whole();
      kill(getpid(), SIGKILL);
      return failed;
    default:
      fail_with(kind);
      return failed;
  }
}

template <typename Whole, typename Result>
Result perform_whole(FaultKind kind, const Whole& whole, Result failed) {
  return perform(kind, whole, whole, failed);
}

// Returns the function of the C library that a function of this library stands before.
template <typename Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace fp8q::test
