// Helps to test the errors that functions raise.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "fp8q/error.h"

namespace fp8q::test {

// Returns the message of the Error that `action` raises, which must have this code.
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

// Returns code and message of the Error that `action` raises, or {ErrorCode{}, "no error"} if it
// raises none.
template <typename Action>
std::pair<ErrorCode, std::string> raised_by(const Action& action) {
  try {
    action();
  } catch (const Error& e) {
    return {e.code(), e.what()};
  }
  return {ErrorCode{}, "no error"};
}

// Expects that `action` raises an Error of this code whose message contains `part`.
template <typename Action>
void expect_error(ErrorCode code, const std::string& part, const Action& action) {
  const auto [found, message] = raised_by(action);
  EXPECT_EQ(found, code) << message << "; expected one with \"" << part << '"';
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

}  // namespace fp8q::test
