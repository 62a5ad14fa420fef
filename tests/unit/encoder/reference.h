// Runs an Encoder as its description says, on one sequence, in plain loops. Recognition found the
// right thing if the results agree with the interpreter's execution of the graph.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "encoder/encoder.h"

namespace fp8q::test {

// Returns the graph outputs by name, flattened.
std::map<std::string, std::vector<float>> run_description(const Encoder& encoder,
                                                          const std::vector<int64_t>& ids,
                                                          const std::vector<int64_t>& types);

}  // namespace fp8q::test
