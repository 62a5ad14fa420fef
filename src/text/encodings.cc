#include "text/encodings.h"

#include "base/hash.h"

namespace fp8q {

size_t count_tokens(std::span<const Encoding> encodings) {
  size_t tokens = 0;
  for (const Encoding& encoding : encodings) tokens += encoding.ids.size();
  return tokens;
}

std::string sha256_of(std::span<const Encoding> encodings) {
  std::string bytes;
  const auto add = [&](const std::vector<int32_t>& values) {
    const auto size = static_cast<uint64_t>(values.size());
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(int32_t));
  };
  for (const Encoding& encoding : encodings) {
    add(encoding.ids);
    add(encoding.type_ids);
  }
  return sha256(bytes);
}

}  // namespace fp8q
