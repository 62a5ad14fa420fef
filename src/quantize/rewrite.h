// The Q/DQ rewrite turns a float model and a Plan into a model that carries everything its
// execution needs.
//
// A quantized weight becomes codes of one byte, a scale and a zero point, followed only by
// DequantizeLinear, which feeds the product directly. Nodes that the file has between the weight
// and the product (Cast, Transpose) are applied to the codes.
//
// A quantized activation gets one QuantizeLinear and DequantizeLinear pair, which all products that
// read it share. The pair stands directly before the first of them. A quantized value that enters
// no product gets one pair directly behind the node that makes it, for all its readers. If the
// value is a graph output, the pair's result takes its name. The input of a product with a scale
// per token gets a call of token_rounding() instead of a pair. Factors of channels are a Mul in
// front of the pair or the call.
//
// Scale and zero point have the same shape, `axis` is written if they have one, and `saturate` and
// `output_dtype` keep their defaults. onnxruntime, TensorRT and OpenVINO all accept this form.
// Names of graph inputs and outputs do not change.
#pragma once

#include "quantize/plan.h"

namespace fp8q {

// `source` and `sites` must be those the plan was made for, and the opset must be 21 or later. The
// result carries the manifest of the plan.
Model quantize_model(const Model& source, const std::vector<Site>& sites, const Plan& plan);

}  // namespace fp8q
