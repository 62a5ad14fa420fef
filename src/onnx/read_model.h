// ModelProto -> Model: everything but the nodes' and tensors' own reading.
#pragma once

#include "graph/model.h"
#include "onnx/payloads.h"
#include "onnx/proto.h"

namespace fp8q {

// The newest version of the standard operator set that is understood.
inline constexpr int64_t kNewestOpset = 27;

// Takes the payloads out of the message.
Model read_model(onnx::ModelProto& proto, Payloads& payloads);

}  // namespace fp8q
