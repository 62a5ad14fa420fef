// Errors of the functions under test.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "fp8q/error.h"

namespace fp8q::test {

// The message of the error that `action` raises.
template <typename Action>
std::string error_of(ErrorCode code, const Action& action) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace fp8q::test
