// What a run that is interrupted leaves to go on from.
#pragma once

#include <filesystem>

namespace fp8q {

// From now on a checkpoint is kept at `path`; an empty path: none is kept any more.
void announce_checkpoint(const std::filesystem::path& path);

// Its path, or nullptr; safe to call from a signal handler.
const char* announced_checkpoint() noexcept;

}  // namespace fp8q
