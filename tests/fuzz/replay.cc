// Runs a fuzz target on the files of its corpus, and on some mutations of each, without libFuzzer.
//
// Usage: fuzz_TARGET [-mutations=N] FOLDER|FILE...
// A file TITLE.hex holds bytes as hexadecimal numbers with any white space between them; every
// other file is the input itself. The program names the input that ends it, in a form that may
// become a file of the corpus. It fails if there are no inputs.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

extern "C" __attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                                                size_t max_size, unsigned) {
  return LLVMFuzzerMutate(data, size, max_size);
}

namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxInput = 1 << 16;
constexpr unsigned kMaxSeconds = 60;  // for one input, also on a busy machine
constexpr long kMaxKilobytes = 1 << 20;

std::mt19937 random_bits;
std::string running;    // name of the input
std::string its_bytes;  // the input

size_t random_below(size_t n) { return random_bits() % n; }

// Prints the input. A signal handler may do little, but the program ends anyway.
void tell_input() {
  std::fprintf(stderr, "\nthe input was %s, in hexadecimal:\n", running.c_str());
  for (const char c : its_bytes) std::fprintf(stderr, "%02x", static_cast<unsigned char>(c));
  std::fprintf(stderr, "\n");
}

void on_signal(int signal) {
  if (signal == SIGALRM) std::fprintf(stderr, "took more than %u seconds\n", kMaxSeconds);
  tell_input();
  std::_Exit(128 + signal);
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (path.extension() != ".hex") return text;
  std::erase_if(text, [](char c) { return std::isspace(static_cast<unsigned char>(c)); });
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

void run(const std::string& name, const std::string& bytes) {
  running = name;
  its_bytes = bytes;
  alarm(kMaxSeconds);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(its_bytes.data()), its_bytes.size());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  if (usage.ru_maxrss <= kMaxKilobytes) return;
  std::fprintf(stderr, "took %ld MB of memory\n", usage.ru_maxrss >> 10);
  tell_input();
  std::_Exit(1);
}

// Changes the input step by step, so that later ones differ more.
void run_mutations(const std::string& name, const std::string& bytes, unsigned count) {
  std::string changed = bytes;
  for (unsigned i = 0; i < count; ++i) {
    if (i % 8 == 0) changed = bytes;
    const size_t size = changed.size();
    changed.resize(std::max(kMaxInput, size));
    its_bytes = changed.substr(0, size);
    running = name + " before its mutation " + std::to_string(i);
    changed.resize(LLVMFuzzerCustomMutator(reinterpret_cast<uint8_t*>(changed.data()), size,
                                           changed.size(), static_cast<unsigned>(random_bits())));
    run(name + " after mutation " + std::to_string(i), changed);
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  constexpr uint8_t kBytes[] = {0, 1, 2, 0x7F, 0x80, 0xFF, '"', '.', '/', '-', ' ', '\n', '{', ']'};
  const size_t at = size ? random_below(size) : 0;
  switch (random_below(5)) {
    case 0:  // inserts a byte
      if (size == max_size) return size;
      std::memmove(data + at + 1, data + at, size - at);
      data[at] = static_cast<uint8_t>(random_bits());
      return size + 1;
    case 1:  // removes some bytes
      if (size < 2) return size;
      {
        const size_t count = 1 + random_below(std::min<size_t>(size - at, 8));
        std::memmove(data + at, data + at + count, size - at - count);
        return std::max<size_t>(size - count, 1);
      }
    case 2:  // flips a bit
      if (size) data[at] ^= static_cast<uint8_t>(1 << random_below(8));
      return size;
    case 3:  // repeats bytes from elsewhere
      for (size_t i = 0, from = size ? random_below(size) : 0; at + i < size && i < 6; ++i)
        if (from + i < size) data[at + i] = data[from + i];
      return size;
    default:
      if (size) data[at] = kBytes[random_below(std::size(kBytes))];
      return size;
  }
}

int main(int argc, char** argv) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGALRM})
    std::signal(signal, on_signal);
  unsigned mutations = 0;
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("-mutations=")) {
      mutations = static_cast<unsigned>(std::stoul(argument.substr(11)));
    } else if (fs::is_directory(argument)) {
      for (const auto& entry : fs::directory_iterator(argument)) files.push_back(entry.path());
    } else {
      files.push_back(argument);
    }
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    if (!fs::is_regular_file(file)) {
      std::fprintf(stderr, "%s is no file\n", file.c_str());
      return 1;
    }
    const std::string bytes = bytes_of(file);
    run(file.string(), bytes);
    run_mutations(file.string(), bytes, mutations);
  }
  if (files.empty()) std::fprintf(stderr, "there are no inputs\n");
  std::printf("%zu inputs with %u mutations each\n", files.size(), mutations);
  return files.empty();
}
