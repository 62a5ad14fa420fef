// Writes a large BERT with random weights. Usage: make_large_model FOLDER LAYERS HIDDEN INNER

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "tests/cli/large_model.h"

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::cerr << "usage: make_large_model FOLDER LAYERS HIDDEN INNER\n";
    return EXIT_FAILURE;
  }
  fp8q::test::write_large_model(
      {.layers = std::stoll(argv[2]), .hidden = std::stoll(argv[3]), .inner = std::stoll(argv[4])},
      argv[1]);
  return EXIT_SUCCESS;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return EXIT_FAILURE;
}
