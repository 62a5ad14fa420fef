#include "base/hash.h"

// OpenSSL recommends its EVP functions instead of these. They set the library up first: they read a
// file of settings, which may load code, and break if there is no memory for a lock. These compute
// and do nothing else.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/open_file.h"

namespace fp8q {

Sha256::Sha256() : state_(std::make_unique<SHA256state_st>()) { SHA256_Init(state_.get()); }

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  SHA256_Update(state_.get(), bytes.data(), bytes.size());
}

std::string Sha256::finish() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256_Final(digest.data(), state_.get());
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string sha256_file(const fs::path& path) {
  const auto [fd, size] = open_file(path, UINT64_MAX);
  std::string block(size_t{1} << 20, '\0');
  Sha256 hash;
  for (uint64_t at = 0; at < size; at += block.size()) {
    block.resize(std::min<uint64_t>(block.size(), size - at));
    read_exactly(fd, at, block.data(), block.size(), path.string());
    hash.update(block);
  }
  return hash.finish();
}

}  // namespace fp8q
