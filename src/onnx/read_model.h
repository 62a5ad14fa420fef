// Turns a ModelProto into a Model, except for the reading of nodes and tensors.
#pragma once

#include "graph/model.h"
#include "onnx/payloads.h"
#include "onnx/proto.h"

namespace fp8q {

// This is the newest supported version of the standard operator set.
inline constexpr int64_t kNewestOpset = 27;

// Reads the model and takes the payloads out of the message.
Model read_model(onnx::ModelProto& proto, Payloads& payloads);

}  // namespace fp8q
