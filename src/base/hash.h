// Computes SHA-256 as lowercase hexadecimal.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace fp8q {

std::string sha256(std::string_view bytes);
std::string sha256_file(const std::filesystem::path& path);

}  // namespace fp8q
