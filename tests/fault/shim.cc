// A library to preload: makes one allocation or one operation on files of a program fail, or ends
// the program there.
//
// FP8Q_FAULT says which: "<kind> <number> <what happens>", for example "allocation 12 once". What
// happens is "once" (this one fails), "onwards" (all from here on fail), "interrupted" (EINTR),
// "short" (half is done) or "dies" (SIGKILL, after it is done). FP8Q_FAULT_COUNTS names a file that
// gets, at the end, how many there were of each kind.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <iterator>

#include "tests/fault/kinds.h"

namespace {

using fp8q::test::FaultKind;
using fp8q::test::kFaultKinds;

enum class Effect { none, once, onwards, interrupted, shortened, dies };

struct Plan {
  long kind = -1;
  long number = 0;
  Effect effect = Effect::none;
};

constinit Plan plan;
constinit std::atomic<long> counts[std::size(kFaultKinds)];
constinit std::atomic<bool> counting = false;

// Returns the position of the word that `text` begins with, and moves behind the word.
template <size_t N>
long take_word(const char*& text, const char* const (&words)[N]) {
  const size_t length = strcspn(text, " ");
  for (size_t i = 0; i < N; ++i)
    if (strlen(words[i]) == length && strncmp(words[i], text, length) == 0) {
      text += length + (text[length] == ' ');
      return static_cast<long>(i);
    }
  _exit(125);
}

void read_plan(const char* text) {
  const char* names[std::size(kFaultKinds)];
  for (size_t i = 0; i < std::size(kFaultKinds); ++i) names[i] = kFaultKinds[i].name;
  constexpr const char* kEffects[] = {"none", "once", "onwards", "interrupted", "short", "dies"};
  plan.kind = take_word(text, names);
  for (; *text >= '0' && *text <= '9'; ++text) plan.number = 10 * plan.number + (*text - '0');
  if (*text++ != ' ') _exit(125);
  plan.effect = static_cast<Effect>(take_word(text, kEffects));
}

// Runs before the C library has set itself up, which therefore does not know the environment yet.
[[gnu::constructor]] void begin(int, char**, char** environment) {
  constexpr char kName[] = "FP8Q_FAULT=";
  for (; *environment; ++environment)
    if (strncmp(*environment, kName, strlen(kName)) == 0) read_plan(*environment + strlen(kName));
  counting = true;
}

[[gnu::destructor]] void end() {
  counting = false;
  const char* path = getenv("FP8Q_FAULT_COUNTS");
  FILE* file = path ? fopen(path, "w") : nullptr;
  if (!file) return;
  for (size_t i = 0; i < std::size(kFaultKinds); ++i)
    fprintf(file, "%s %ld\n", kFaultKinds[i].name, counts[i].load());
  fclose(file);
}

// Counts an operation and returns what is to happen to it.
Effect next(FaultKind kind) {
  if (!counting) return Effect::none;
  const long number = ++counts[static_cast<size_t>(kind)];
  if (plan.kind != static_cast<long>(kind)) return Effect::none;
  if (number == plan.number) return plan.effect;
  return plan.effect == Effect::onwards && number > plan.number ? Effect::once : Effect::none;
}

// Performs an operation that returns -1 with errno on failure. `half` does half of it.
template <typename Whole, typename Half>
auto perform(FaultKind kind, const Whole& whole, const Half& half) -> decltype(whole()) {
  switch (next(kind)) {
    case Effect::none:
      return whole();
    case Effect::shortened:
      return half();
    case Effect::interrupted:
      errno = EINTR;
      return -1;
    case Effect::dies:
      whole();
      kill(getpid(), SIGKILL);
      return -1;
    default:
      errno = kFaultKinds[static_cast<size_t>(kind)].error;
      return -1;
  }
}

template <typename Whole>
auto perform(FaultKind kind, const Whole& whole) {
  return perform(kind, whole, whole);
}

bool allocation_fails() {
  const Effect effect = next(FaultKind::allocation);
  if (effect == Effect::dies) kill(getpid(), SIGKILL);
  if (effect != Effect::none) errno = ENOMEM;
  return effect != Effect::none;
}

}  // namespace

extern "C" {

// These are glibc's own functions behind the public names.
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t size) noexcept { return allocation_fails() ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) noexcept {
  return allocation_fails() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) noexcept {
  return allocation_fails() ? nullptr : __libc_realloc(old, size);
}
void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return allocation_fails() ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** to, size_t alignment, size_t size) noexcept {
  if (allocation_fails()) return ENOMEM;
  *to = __libc_memalign(alignment, size);
  return *to ? 0 : ENOMEM;
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return perform(FaultKind::open, [&] {
    return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  });
}

ssize_t pread(int fd, void* to, size_t size, off_t at) {
  const auto some = [&](size_t n) { return syscall(SYS_pread64, fd, to, n, at); };
  return perform(
      FaultKind::read, [&] { return some(size); }, [&] { return some((size + 1) / 2); });
}

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  const auto map = [&] { return syscall(SYS_mmap, at, size, protection, flags, fd, offset); };
  return reinterpret_cast<void*>(fd < 0 ? map() : perform(FaultKind::map, map));
}

// What is written to the terminal does not count.
ssize_t write(int fd, const void* from, size_t size) {
  const auto some = [&](size_t n) { return syscall(SYS_write, fd, from, n); };
  if (fd <= STDERR_FILENO) return some(size);
  return perform(
      FaultKind::write, [&] { return some(size); }, [&] { return some((size + 1) / 2); });
}

int fchmod(int fd, mode_t mode) noexcept {
  return perform(FaultKind::mode, [&] { return static_cast<int>(syscall(SYS_fchmod, fd, mode)); });
}

int fdatasync(int fd) {
  return perform(FaultKind::synchronize,
                 [&] { return static_cast<int>(syscall(SYS_fdatasync, fd)); });
}

int fsync(int fd) {
  return perform(FaultKind::synchronize, [&] { return static_cast<int>(syscall(SYS_fsync, fd)); });
}

// The descriptor is closed in any case.
int close(int fd) {
  const int result = static_cast<int>(syscall(SYS_close, fd));
  return perform(FaultKind::close, [&] { return result; });
}

int rename(const char* from, const char* to) noexcept {
  return perform(FaultKind::rename,
                 [&] { return static_cast<int>(syscall(SYS_rename, from, to)); });
}

}  // extern "C"
