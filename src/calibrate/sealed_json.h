// Files of what a run found: {"schema", "checksum", "content"}, where the checksum is the SHA-256
// of the content in its canonical form (sorted members, no spaces). The content may be that of a
// part of the run's examples.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/part.h"
#include "calibrate/json_fields.h"

namespace fp8q {

struct SealedKind {
  const char* schema;  // "fp8q/statistics/1"
  const char* what;    // "a statistics file", for messages
  const char* remedy;  // "run fp8q calibrate again"
  Blame blame;         // for fields that are wrong
  int max_depth;       // of objects and lists within each other, the outermost being 0
};

// The content of a file of this kind; `source` names the bytes in messages. Error (bad_data): they
// are no JSON, of another schema, or do not fit their checksum.
nlohmann::json unsealed(std::string_view bytes, const std::string& source, const SealedKind& kind);

nlohmann::json part_to_json(const Part& part);
// `field` is rejected where it is no part with so many examples.
Part part_from_json(const Field& field, int64_t examples);

}  // namespace fp8q
