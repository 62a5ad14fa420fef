// Reading JSON that may be anything: files are bounded in size and depth, no key stands twice in an
// object, and errors name the file and the place in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "fp8q/error.h"
#include "json/value.h"

namespace fp8q::json {

// What errors say of a kind of file. The texts must outlive its documents.
struct Kind {
  std::string_view what = "valid JSON";  // which a file that cannot be parsed is not: "a plan"
  std::string_view remedy = "";          // ends every message; empty: there is none to name
  ErrorCode code = ErrorCode::bad_data;
};

// The deepest nesting of objects and lists: files that fp8q reads have less than ten levels.
inline constexpr size_t kMaxDepth = 64;

// A parsed text. Copies share it.
class Document {
 public:
  // `source` names the bytes in messages. Time is linear in their number. Error (of the kind's
  // code): they are no JSON, nest too deeply, or an object has a key twice.
  static Document parse(std::string_view bytes, const std::string& source, const Kind& kind = {});
  // Of a file; errors also as read_file().
  static Document read(const std::filesystem::path& path, uint64_t max_bytes,
                       const Kind& kind = {});

  // Values look into the document: they must not outlive it and its copies.
  Value root() const;

 private:
  explicit Document(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

  std::shared_ptr<const Content> content_;
};

}  // namespace fp8q::json
