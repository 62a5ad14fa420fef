// Reads uncompressed NumPy archives (.npz with stored members), the form of the reference files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fp8q::test {

struct NpyArray {
  std::string descr;  // NumPy's type string, as "<f4"
  std::vector<size_t> shape;
  std::string bytes;

  size_t size() const;
  // Returns the elements converted to T. The array must have one of the types u1 u2 i4 i8 f4 f8.
  template <typename T>
  std::vector<T> as() const;
};

std::map<std::string, NpyArray> read_npz(const std::filesystem::path& path);

}  // namespace fp8q::test
