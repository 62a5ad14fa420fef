// Runs an Encoder as its description says, on one sequence, in plain loops: what recognition found
// is right when this agrees with the interpreter's execution of the graph.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "encoder/encoder.h"

namespace fp8q::test {

// The graph outputs by name, flattened.
std::map<std::string, std::vector<float>> run_description(const Encoder& encoder,
                                                          const std::vector<int64_t>& ids,
                                                          const std::vector<int64_t>& types);

}  // namespace fp8q::test
