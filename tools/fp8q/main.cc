// fp8q: parses the command line, runs one command, turns errors into messages and exit codes.

#include <signal.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <system_error>

#include "base/file.h"
#include "base/interruption.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/startup.h"
#include "tools/fp8q/tell.h"

namespace fp8q::cli {
namespace {

// Results appear under their names only when they are complete. Unfinished files are removed, and
// the files that remain are complete.
void on_interrupt(int signal) {
  remove_temporary_files();
  if (const char* checkpoint = announced_checkpoint()) {
    tell("\nfp8q: interrupted; the same command goes on from the checkpoint ");
    tell(checkpoint);
    tell("\n");
  } else {
    tell("\nfp8q: interrupted; no unfinished file is left\n");
  }
  _exit(128 + signal);
}

// Models are mapped (base/file_bytes.h). Missing bytes of a file show only when they are read.
void on_missing_bytes(int) {
  remove_temporary_files();
  tell(
      "\nfp8q: error: a model file lost bytes while it was used: somebody wrote into it, or its "
      "disk "
      "failed; put a new file in its place (mv) instead\n");
  _exit(static_cast<int>(ErrorCode::file));
}

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    // What the caller ignores stays ignored: nohup, and shells that start a job in the background.
    struct sigaction inherited {};
    sigaction(signal, nullptr, &inherited);
    if (inherited.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
  action.sa_handler = on_missing_bytes;
  sigaction(SIGBUS, &action, nullptr);
  // A closed pipe and a file larger than the user may write (ulimit -f) then show as failed writes,
  // which are reported.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

constexpr const char* kFooter = R"(
In one folder, in this order:
  fp8q calibrate model.onnx
  fp8q convert --format e4m3
  fp8q eval --task sst2

Exit codes: 0 ok, 1 accuracy gate, 2 usage, 3 bad model, 4 unsupported, 5 bad data, 6 file or system error,
7 device, 8 limit or memory, 70 internal error, 129/130/143 interrupted.)";

int run(int argc, char** argv) {
  Globals globals;
  CommandLine program(
      {.name = "fp8q",
       .description = "fp8q: post-training quantization of BERT-family ONNX models to FP8 and INT8",
       .version = std::string(version()),
       .footer = kFooter});
  add_commands(program, globals);
  if (const std::optional<int> code = program.parse(argc, argv)) return *code;
  try {
    set_up_log(globals);
    log_info(fmt::format("version {}: {}", version(), fmt::join(argv, argv + argc, " ")));
    const Stopwatch watch;
    program.run();
    log_info(fmt::format("done in {:.2f} s", watch.seconds()));
    return 0;
  } catch (const Error& e) {
    log_error(e.what());
    return e.exit_code();
  } catch (const std::bad_alloc&) {
    log_out_of_memory();
    return static_cast<int>(ErrorCode::limit);
  } catch (const std::system_error& e) {  // std::filesystem's errors are such errors
    const bool memory = e.code() == std::errc::not_enough_memory;
    log_error(e.what());
    return static_cast<int>(memory ? ErrorCode::limit : ErrorCode::file);
  } catch (const std::exception& e) {
    log_error(e.what());
    return static_cast<int>(ErrorCode::internal);
  }
}

}  // namespace
}  // namespace fp8q::cli

int main(int argc, char** argv) {
  fp8q::cli::startup_is_over();
  fp8q::cli::handle_signals();
  fp8q::return_large_blocks();
  return fp8q::cli::run(argc, argv);
}
