// Names the parts of a forward pass as StageTime does.
#pragma once

#include <cstddef>
#include <string_view>

namespace fp8q {

enum class Stage {
#define FP8Q_STAGE(id, name) id,
#include "engine/stages.def"
#undef FP8Q_STAGE
};

// The names are indexed by Stage.
inline constexpr std::string_view kStageNames[] = {
#define FP8Q_STAGE(id, name) name,
#include "engine/stages.def"
#undef FP8Q_STAGE
};

constexpr std::string_view name(Stage stage) { return kStageNames[static_cast<size_t>(stage)]; }

}  // namespace fp8q
