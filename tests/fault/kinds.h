// Lists what the library to preload (plan.h) can make fail.
#pragma once

#include <errno.h>

#include <cstddef>

namespace fp8q::test {

enum class FaultKind {
  allocation,
  thread,
  open,
  examine,
  read,
  map,
  list,
  folder,
  create,
  lock,
  write,
  mode,
  synchronize,
  close,
  rename
};

struct FaultKindInfo {
  const char* name;
  int error;  // errno of a failure
};

inline constexpr FaultKindInfo kFaultKinds[] = {
    {"allocation", ENOMEM}, {"thread", EAGAIN}, {"open", EIO},     {"examine", EIO},
    {"read", EIO},          {"map", ENOMEM},    {"list", EIO},     {"folder", ENOSPC},
    {"create", ENOSPC},     {"lock", ENOLCK},   {"write", ENOSPC}, {"mode", EPERM},
    {"synchronize", EIO},   {"close", EIO},     {"rename", EIO}};

}  // namespace fp8q::test
