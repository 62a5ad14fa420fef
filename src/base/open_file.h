// Opens a regular file for more than one read.
#pragma once

#include "base/file.h"

namespace fp8q {

// Refuses the files that read_file() refuses.
OpenedFile open_file(const fs::path& path, uint64_t max_bytes);

}  // namespace fp8q
