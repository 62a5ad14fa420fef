#include "base/file_facts.h"

#include "base/error.h"
#include "base/hash.h"

namespace fp8q {

FileFacts facts_of(const fs::path& path) {
  std::error_code error;
  const uint64_t bytes = fs::file_size(path, error);
  if (error)
    fail(ErrorCode::file, "{}: cannot be examined: {}", printable(path.string()), error.message());
  return {path, sha256_file(path), bytes};
}

}  // namespace fp8q
