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

inline constexpr int64_t kOldestUpgradable = 7;

// A model at `target`, which is at most kConvertedOpset, or above stays unchanged. The IR version
// becomes at least the one that belongs to the target. Error (unsupported), naming the node: the
// meaning of an operator changed in between and no rule handles the change. The model is then
// unchanged.
void upgrade_opset(Model& model, int64_t target = kConvertedOpset);

}  // namespace fp8q
