// Finds the facts about a file that results report.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

// Throws an Error (file) if the file cannot be read.
FileFacts facts_of(const fs::path& path);

}  // namespace fp8q
