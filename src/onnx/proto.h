// Includes the generated message classes of ONNX. This header is private to the folder.
//
// Debian's ONNX 1.12 knows the messages as of IR 8. Protobuf keeps newer fields as unknown fields.
// Newer element types are plain numbers in TensorProto.data_type.
#pragma once

#include <google/protobuf/unknown_field_set.h>
#include <onnx/onnx_pb.h>
