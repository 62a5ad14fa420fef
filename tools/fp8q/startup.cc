#include "tools/fp8q/startup.h"

#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <new>

#include "base/file.h"
#include "fp8q/error.h"
#include "tools/fp8q/tell.h"

namespace fp8q::cli {
namespace {

constexpr const char* kNoMemory = "fp8q: error: out of memory\n";

[[noreturn]] void end(const char* message, ErrorCode code) {
  remove_temporary_files();
  tell(message);
  _exit(static_cast<int>(code));
}

// Is called if an exception escapes, or if there is not even memory to throw one.
[[noreturn]] void on_terminate() {
  if (!std::current_exception()) end(kNoMemory, ErrorCode::limit);
  try {
    throw;
  } catch (const std::bad_alloc&) {
    end(kNoMemory, ErrorCode::limit);
  } catch (...) {
    end("fp8q: error: an exception was not handled\n", ErrorCode::internal);
  }
}

// Libraries set themselves up before main(), and some write to memory that they did not get.
void on_broken_start(int) {
  end("fp8q: error: the program cannot be started; there is probably not enough memory\n",
      ErrorCode::limit);
}

void prepare() {
  std::set_terminate(on_terminate);
  signal(SIGSEGV, on_broken_start);
}

// Functions in this section run before the libraries set themselves up. Sanitizers, which watch
// every call, would not be ready for it.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
[[gnu::section(".preinit_array"), gnu::used]]
#endif
[[maybe_unused]] void (*const kPrepare)() = prepare;

}  // namespace

void startup_is_over() {
  // An exception that passes through C code, as pthread_once() is, needs libc's link to the
  // unwinder. backtrace() makes it now. Later there may be no memory for it, which libc takes for a
  // missing library.
  void* frame = nullptr;
  if (backtrace(&frame, 1) == 0) end(kNoMemory, ErrorCode::limit);
  signal(SIGSEGV, SIG_DFL);
}

}  // namespace fp8q::cli
