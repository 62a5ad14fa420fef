// One thread runtime for the whole process: OpenMP, which oneDNN uses too.
//
// Work handed to parallel_for must not depend on how it is divided; every result of fp8q is the
// same bit for bit for any number of threads.
#pragma once

#include <cstddef>
#include <functional>

namespace fp8q {

// Sets the number of threads of all parallel regions, oneDNN's included; 0 means all cores this
// process may run on. Returns the number in force.
int set_threads(int threads);
int threads();

// Calls body(i) for i in [0, count), distributed dynamically. An exception thrown by a body is
// rethrown here after all threads have stopped (the one with the lowest index, so that errors are
// deterministic).
void parallel_for(size_t count, const std::function<void(size_t)>& body);

}  // namespace fp8q
