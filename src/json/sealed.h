// Reads and writes files that hold what a run found: {"schema", "checksum", "content"}. The
// checksum is the SHA-256 of the content in its canonical form (sorted members, no spaces). The
// content may cover only a part of the run's examples.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/part.h"
#include "json/document.h"
#include "json/tree.h"

namespace fp8q::json {

// Returns the file that holds a content. `as_written` is the canonical form, possibly with line
// breaks between values.
std::string seal(std::string_view schema, std::string_view canonical, std::string_view as_written);

// Reads a file of this schema whose checksum matches. Its content is the member "content". `source`
// names the bytes in messages. Raises the errors of Document::parse() and those of the kind.
Document unseal(std::string_view bytes, const std::string& source, std::string_view schema,
                const Kind& kind);

Tree to_json(const Part& part);
// Rejects the value if it is not a part of this many examples.
Part part_from_json(const Value& value, int64_t examples);

}  // namespace fp8q::json
