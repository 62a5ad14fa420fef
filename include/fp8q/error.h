// Defines the one exception type of fp8q.
//
// Everything that input or environment can cause is reported as an Error: a code (which is also the
// exit code of the program), and a message that names the file, the place in it, what was expected
// and what the user can do. A violated internal invariant is our bug and aborts through FP8Q_ASSERT
// instead.
#pragma once

#include <stdexcept>
#include <string>

namespace fp8q {

enum class ErrorCode : int {
  accuracy_gate = 1,  // a score fell by more than --max-drop
  usage = 2,          // wrong or unused option
  bad_model = 3,      // not ONNX, truncated, inconsistent
  unsupported = 4,    // valid, but an operator, opset or feature we do not handle
  bad_data = 5,       // dataset, vocabulary, statistics
  file = 6,           // cannot be opened, read or written
  device = 7,         // no such device, driver or library
  limit = 8,          // memory or another limit
  internal = 70,
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const noexcept { return code_; }
  int exit_code() const noexcept { return static_cast<int>(code_); }

  // Returns the same error with outer context: "<context>: <message>".
  Error with_context(const std::string& context) const { return {code_, context + ": " + what()}; }

 private:
  ErrorCode code_;
};

}  // namespace fp8q
