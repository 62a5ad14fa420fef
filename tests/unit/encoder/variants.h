// Lists every known way of writing an encoder.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "unit/encoder/tiny_encoder.h"

namespace fp8q::test {

struct Variant {
  std::string name;
  Style style;
};
std::ostream& operator<<(std::ostream& out, const Variant& variant);

std::vector<Variant> variants();

// Returns the graph in which Sites are found: with attention written out.
Model opened(const Style& style);

// Fails the test, saying why, if the graph is not recognized.
Encoder recognized(const Model& model);

}  // namespace fp8q::test
