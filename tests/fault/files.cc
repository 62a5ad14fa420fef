// Stands before the functions of the C library that work on files, and the one that starts threads.
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "tests/fault/plan.h"

using fp8q::test::Effect;
using fp8q::test::FaultKind;
using fp8q::test::next;
using fp8q::test::original;
using fp8q::test::perform;
using fp8q::test::perform_whole;

namespace {

int open_at(int folder, const char* path, int flags, mode_t mode) {
  return perform_whole(
      FaultKind::open,
      [&] { return static_cast<int>(syscall(SYS_openat, folder, path, flags, mode)); }, -1);
}

int examine(const char* function, const char* path, struct stat* to) {
  return perform_whole(
      FaultKind::examine,
      [&] { return original<int(const char*, struct stat*)>(function)(path, to); }, -1);
}

FILE* open_stream(const char* path, const char* mode) {
  return perform_whole(
      FaultKind::open,
      [&] { return original<FILE*(const char*, const char*)>("fopen")(path, mode); },
      static_cast<FILE*>(nullptr));
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open_at(folder, path, flags, mode);
}

FILE* fopen(const char* path, const char* mode) { return open_stream(path, mode); }
FILE* fopen64(const char* path, const char* mode) { return open_stream(path, mode); }

int stat(const char* path, struct stat* to) noexcept { return examine("stat", path, to); }
int lstat(const char* path, struct stat* to) noexcept { return examine("lstat", path, to); }
int fstat(int fd, struct stat* to) noexcept {
  return perform_whole(
      FaultKind::examine, [&] { return original<int(int, struct stat*)>("fstat")(fd, to); }, -1);
}

ssize_t pread(int fd, void* to, size_t size, off_t at) {
  const auto some = [&](size_t n) { return ssize_t{syscall(SYS_pread64, fd, to, n, at)}; };
  return perform(
      FaultKind::read, [&] { return some(size); }, [&] { return some((size + 1) / 2); },
      ssize_t{-1});
}

ssize_t read(int fd, void* to, size_t size) {
  const auto some = [&](size_t n) { return ssize_t{syscall(SYS_read, fd, to, n)}; };
  return perform(
      FaultKind::read, [&] { return some(size); }, [&] { return some((size + 1) / 2); },
      ssize_t{-1});
}

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  const auto map = [&] {
    return reinterpret_cast<void*>(syscall(SYS_mmap, at, size, protection, flags, fd, offset));
  };
  return fd < 0 ? map() : perform_whole(FaultKind::map, map, MAP_FAILED);
}

DIR* opendir(const char* path) {
  return perform_whole(
      FaultKind::list, [&] { return original<DIR*(const char*)>("opendir")(path); },
      static_cast<DIR*>(nullptr));
}

struct dirent* readdir(DIR* folder) {
  return perform_whole(
      FaultKind::list, [&] { return original<dirent*(DIR*)>("readdir")(folder); },
      static_cast<dirent*>(nullptr));
}

// The program opens files beneath a folder by the system call, for which libc has no function.
long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  const auto call = [&] {
    static auto* const function = original<long(long, ...)>("syscall");
    const auto [a, b, c, d, e, f] = arguments;
    return function(number, a, b, c, d, e, f);
  };
  return number == SYS_openat2 ? perform_whole(FaultKind::open, call, -1L) : call();
}

int mkdir(const char* path, mode_t mode) noexcept {
  return perform_whole(
      FaultKind::folder,
      [&] { return static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path, mode)); }, -1);
}

int mkostemp(char* path, int flags) {
  return perform_whole(
      FaultKind::create, [&] { return original<int(char*, int)>("mkostemp")(path, flags); }, -1);
}

int flock(int fd, int operation) noexcept {
  return perform_whole(
      FaultKind::lock, [&] { return static_cast<int>(syscall(SYS_flock, fd, operation)); }, -1);
}

// What is written to the terminal does not count.
ssize_t write(int fd, const void* from, size_t size) {
  const auto some = [&](size_t n) { return ssize_t{syscall(SYS_write, fd, from, n)}; };
  if (fd <= STDERR_FILENO) return some(size);
  return perform(
      FaultKind::write, [&] { return some(size); }, [&] { return some((size + 1) / 2); },
      ssize_t{-1});
}

int fchmod(int fd, mode_t mode) noexcept {
  return perform_whole(
      FaultKind::mode, [&] { return static_cast<int>(syscall(SYS_fchmod, fd, mode)); }, -1);
}

int fdatasync(int fd) {
  return perform_whole(
      FaultKind::synchronize, [&] { return static_cast<int>(syscall(SYS_fdatasync, fd)); }, -1);
}

int fsync(int fd) {
  return perform_whole(
      FaultKind::synchronize, [&] { return static_cast<int>(syscall(SYS_fsync, fd)); }, -1);
}

// The descriptor is closed in any case.
int close(int fd) {
  const int result = static_cast<int>(syscall(SYS_close, fd));
  return perform_whole(
      FaultKind::close, [&] { return result; }, -1);
}

int rename(const char* from, const char* to) noexcept {
  return perform_whole(
      FaultKind::rename, [&] { return static_cast<int>(syscall(SYS_rename, from, to)); }, -1);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) noexcept {
  using Create = int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  const Effect effect = next(FaultKind::thread);
  return effect == Effect::none
             ? original<Create>("pthread_create")(thread, attributes, run, argument)
             : EAGAIN;
}

}  // extern "C"
