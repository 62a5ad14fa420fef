// Upgrades older models to a newer version of the standard operator set.
//
// Names, order and meaning stay. Operators are rewritten to the form that the newer version asks
// for: attributes that became inputs become initializers, and a Dropout becomes an Identity, which
// it is in inference. A Softmax over flattened axes is spelled out unless the rank is known to make
// that unnecessary. upgrade_rules.def lists what each version changed. Nodes of other domains are
// left alone.
#pragma once

#include <cstdint>

#include "graph/model.h"

namespace fp8q {

// These are the oldest version that can be upgraded, and the newest version that can be reached.
// The latter is the version of converted models: the oldest with every 8-bit type and with FP8 zero
// points of one dimension.
inline constexpr int64_t kOldestUpgradable = 7;

// A model at `target` or above stays unchanged. The IR version becomes at least the one that
// belongs to the target. Throws an Error (unsupported) that names the node if the meaning of an
// operator changed in between and no rule handles the change. The model is then unchanged.
void upgrade_opset(Model& model, int64_t target = kConvertedOpset);

}  // namespace fp8q
