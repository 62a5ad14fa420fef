// Reads untrusted JSON. Files are bounded in size and depth, a key may occur only once in an
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

// A document may take this much memory. A text of a few megabytes could otherwise take gigabytes,
// because an empty list, say, has two bytes and takes a hundred.
inline constexpr size_t kMaxTreeBytes = size_t{1} << 30;

// Says how errors describe a kind of file. The texts must outlive its documents.
struct Kind {
  // Tells what a file should contain, for files that cannot be parsed: "a plan".
  std::string_view what = "valid JSON";
  std::string_view remedy;  // ends every message; empty: no remedy is named
  ErrorCode code = ErrorCode::bad_data;
  size_t max_memory = kMaxTreeBytes;
};

// Objects and lists may nest this deeply. Files that fp8q reads have fewer than ten levels.
inline constexpr size_t kMaxDepth = 64;

// Holds a parsed text. Copies share it.
class Document {
 public:
  // `source` names the bytes in messages. Takes time linear in their number. Throws an Error with
  // the kind's code if the bytes are not JSON or nest too deeply, or if an object has a key twice,
  // and an Error (limit) if they would take too much memory.
  static Document parse(std::string_view bytes, const std::string& source, const Kind& kind = {});
  // Parses a file. Also throws the errors of read_file().
  static Document read(const std::filesystem::path& path, uint64_t max_bytes,
                       const Kind& kind = {});

  // Values refer to the document: they must not outlive it and its copies.
  Value root() const;
  // Returns about how many bytes of memory the document takes.
  size_t memory() const;

 private:
  explicit Document(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

  std::shared_ptr<const Content> content_;
};

}  // namespace fp8q::json
