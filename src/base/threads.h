// The whole process has one thread runtime: OpenMP, which oneDNN uses too.
//
// Work passed to parallel_for must not depend on how it is divided. Every result of fp8q is bit for
// bit the same for any number of threads.
#pragma once

#include <cstddef>
#include <functional>

namespace fp8q {

// Sets the number of threads of all parallel regions, including oneDNN's. 0 means all cores that
// this process may run on. Returns the number in force.
int set_threads(int threads);
int threads();

// Calls body(i) for i in [0, count), distributed dynamically. If bodies throw exceptions, the one
// with the lowest index is rethrown here after all threads have stopped, so that errors are
// deterministic.
void parallel_for(size_t count, const std::function<void(size_t)>& body);

}  // namespace fp8q
