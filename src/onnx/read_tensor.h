// Turns a TensorProto into a Tensor. This is the only reader of tensor payloads.
//
// A payload is in raw_data, in the typed field that belongs to the element type, or in another
// file. It must have exactly the bytes that type and shape ask for. Payloads of raw_data and other
// files are not copied if they are aligned.
#pragma once

#include <string>

#include "onnx/payloads.h"
#include "onnx/proto.h"
#include "tensor/tensor.h"

namespace fp8q {

// Returns the name of an element type by its ONNX number, for messages: "STRING", "type 42".
std::string onnx_type_name(int code);

// `what` names the tensor in messages: `initializer "x"`.
Tensor read_tensor(onnx::TensorProto& proto, const std::string& what, Payloads& payloads);

}  // namespace fp8q
