// Remembers the checkpoint from which an interrupted run can continue.
#pragma once

#include <filesystem>

namespace fp8q {

// Announces that a checkpoint is kept at `path` from now on. An empty path means that none is kept
// any more.
void announce_checkpoint(const std::filesystem::path& path);

// Returns the announced path, made printable, if the file exists, otherwise nullptr. It is safe to
// call from a signal handler.
const char* announced_checkpoint() noexcept;

}  // namespace fp8q
