// Makes the temporary files of AtomicFile, and removes those that killed processes left.
//
// The process that writes a temporary file holds a lock on it (flock). The system drops the lock
// when the process ends, however it ends. A file of such a name without a lock is therefore of a
// process that is gone.
#pragma once

#include "base/file.h"

namespace fp8q {

// Returns the name that make_temporary() takes: "<path>.tmp.fp8q-XXXXXX".
std::string temporary_pattern(const fs::path& path);

// Makes a file with the name of the pattern, its last letters replaced, and locks it. Sets `name`
// to its name. Takes no memory, so nothing fails once the file is there. Returns a descriptor below
// 0 if the file cannot be made, and errno tells why.
FileDescriptor make_temporary(std::string& name);

// Removes what killed processes left in the folder: regular files of this user with such names that
// nobody holds a lock on. Looks into each folder once.
void remove_stale_temporaries(const fs::path& folder);

}  // namespace fp8q
