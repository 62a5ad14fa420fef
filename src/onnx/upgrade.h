// Bringing older models to a newer version of the standard operator set.
//
// Names, order and meaning stay: operators are rewritten to the form that the newer version asks
// for (attributes that became inputs become initializers; a Softmax over flattened axes is spelled
// out where the rank is not known to make that needless; a Dropout becomes the Identity that it is
// in inference). What each version changed stands in upgrade_rules.def. Nodes of other domains are
// left alone.
#pragma once

#include <cstdint>

#include "graph/model.h"

namespace fp8q {

// The oldest version that can be upgraded, and the newest that can be reached: that of converted
// models, the oldest with every 8-bit type and with FP8 zero points of one dimension.
inline constexpr int64_t kOldestUpgradable = 7;
inline constexpr int64_t kUpgradeTarget = 21;

// A model that is at `target` or above stays as it is. The IR version becomes at least that which
// belongs to the target.
// Error (unsupported), naming the node: an operator whose meaning changed in between in a way that
// has no rule; the model is unchanged then.
void upgrade_opset(Model& model, int64_t target = kUpgradeTarget);

}  // namespace fp8q
