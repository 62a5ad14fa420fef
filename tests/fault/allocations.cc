// Stands before the functions of the C library that take memory.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fault/plan.h"

namespace fp8q::test {
namespace {

bool allocation_fails() {
  const Effect effect = next(FaultKind::allocation);
  if (effect == Effect::dies) kill(getpid(), SIGKILL);
  if (effect != Effect::none) errno = ENOMEM;
  return effect != Effect::none;
}

}  // namespace
}  // namespace fp8q::test

using fp8q::test::allocation_fails;

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

}  // extern "C"
