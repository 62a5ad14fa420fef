// Lists what the library to preload (shim.cc) can make fail.
#pragma once

#include <errno.h>

#include <cstddef>

namespace fp8q::test {

enum class FaultKind { allocation, open, read, map, write, mode, synchronize, close, rename };

struct FaultKindInfo {
  const char* name;
  int error;  // errno of a failure
};

inline constexpr FaultKindInfo kFaultKinds[] = {
    {"allocation", ENOMEM}, {"open", EIO},     {"read", EIO},
    {"map", ENOMEM},        {"write", ENOSPC}, {"mode", EPERM},
    {"synchronize", EIO},   {"close", EIO},    {"rename", EIO}};

}  // namespace fp8q::test
