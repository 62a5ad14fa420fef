// TensorProto -> Tensor, the only reader of tensor payloads.
//
// A payload stands in raw_data, in the typed field that belongs to the element type, or in another
// file; it must have exactly the bytes that type and shape ask for. Those of raw_data and other
// files are not copied where they are aligned.
#pragma once

#include <string>

#include "onnx/payloads.h"
#include "onnx/proto.h"
#include "tensor/tensor.h"

namespace fp8q {

inline constexpr int kMaxRank = 16;

// The name of an element type by its ONNX number, for messages: "STRING", "type 42".
std::string onnx_type_name(int code);

// `what` names the tensor in messages: `initializer "x"`.
Tensor read_tensor(onnx::TensorProto& proto, const std::string& what, Payloads& payloads);

}  // namespace fp8q
