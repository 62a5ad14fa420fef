// Prints the token ids of every line of standard input, one line each, without special tokens.
// scripts/check_tokenizer.py compares them with another implementation.
//
//   print_tokens TOKENIZER < TEXT
#include <iostream>
#include <string>

#include "text/tokenizer.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: print_tokens TOKENIZER < TEXT\n";
    return 2;
  }
  try {
    const auto tokenizer = fp8q::Tokenizer::load(argv[1]);
    for (std::string line; std::getline(std::cin, line);) {
      for (const auto id : tokenizer.tokenize(line).ids) std::cout << id << ' ';
      std::cout << '\n';
    }
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
