// The facts about a file that results report.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

// Error (file): the file cannot be read.
FileFacts facts_of(const fs::path& path);

}  // namespace fp8q
