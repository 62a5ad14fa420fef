// Files of what a run found: {"schema", "checksum", "content"}, where the checksum is the SHA-256
// of the content in its canonical form (sorted members, no spaces). The content may be that of a
// part of the run's examples.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/part.h"
#include "json/document.h"
#include "json/tree.h"

namespace fp8q::json {

// The file of a content. `as_written` is its canonical form, perhaps with line breaks between
// values.
std::string seal(std::string_view schema, std::string_view canonical, std::string_view as_written);

// A file of this schema whose checksum fits: its content is the member "content". `source` names
// the bytes in messages; errors are those of Document::parse() and the kind's.
Document unseal(std::string_view bytes, const std::string& source, std::string_view schema,
                const Kind& kind);

Tree to_json(const Part& part);
// The value is rejected where it is no part with so many examples.
Part part_from_json(const Value& value, int64_t examples);

}  // namespace fp8q::json
