// Computes SHA-256 as lowercase hexadecimal.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct SHA256state_st;

namespace fp8q {

// Takes the bytes in parts.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::string_view bytes);
  std::string finish();  // may be called once, at the end

 private:
  std::unique_ptr<SHA256state_st> state_;
};

std::string sha256(std::string_view bytes);
std::string sha256_file(const std::filesystem::path& path);

}  // namespace fp8q
