// Ends the program with a message where no exception can be caught: before main(), and where one
// escapes.
#pragma once

namespace fp8q::cli {

// Writes to standard error without taking memory, as a signal handler may.
void tell(const char* text);

// Says that main() has begun: from then on, the system reports a broken memory access.
void startup_is_over();

}  // namespace fp8q::cli
