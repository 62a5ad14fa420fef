// Opens regular files for more than one read.
#pragma once

#include "base/file.h"

namespace fp8q {

// Refuses the files that read_file() refuses.
OpenedFile open_file(const fs::path& path, uint64_t max_bytes);

// Takes a descriptor that was opened with O_NONBLOCK. Throws an Error (file) that names `path` if
// it is not that of a regular file.
OpenedFile regular_file(FileDescriptor fd, const fs::path& path);

}  // namespace fp8q
