// Ends the program with a message where no exception can be caught: before main(), and where one
// escapes.
#pragma once

namespace fp8q::cli {

// Says that main() has begun: from then on, the system reports a broken memory access. Makes ready
// what exceptions need, and ends the program with exit code 8 if there is no memory for it.
void startup_is_over();

}  // namespace fp8q::cli
