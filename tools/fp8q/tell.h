// Writes messages where nothing else may run: in signal handlers, and without memory.
#pragma once

namespace fp8q::cli {

// Writes to standard error without taking memory, as a signal handler may.
void tell(const char* text);

}  // namespace fp8q::cli
