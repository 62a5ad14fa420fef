// Opens files beneath a folder without following symbolic links.
#pragma once

#include <optional>

#include "base/file.h"

namespace fp8q {

// Opens the regular file `relative` beneath `folder` for reading. The way to the folder may lead
// through links, the way from it may not, even if somebody changes it meanwhile. Returns nullopt if
// there is a link on the way from it, or if it leaves the folder ("..", an absolute path). Throws
// an Error (file) if the file cannot be opened or is not a regular file.
std::optional<OpenedFile> open_beneath(const fs::path& folder, const fs::path& relative);

}  // namespace fp8q
