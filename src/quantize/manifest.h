// The manifest records what fp8q did to a model. It is kept in the model's metadata under
// "fp8q.manifest" as JSON without dates or paths, so that equal conversions give equal bytes.
#pragma once

#include <optional>

#include "quantize/plan.h"

namespace fp8q {

// Describes what a Site or an embedding table got.
struct ManifestEntry {
  std::string path;          // path of the Site; empty for a table
  std::string value;         // its ONNX name in the source model
  std::string format;        // "e4m3", "float16", ...; empty: unchanged
  std::string granularity;   // "tensor", "channel", "row", "token"; empty if there is no scale
  std::string observer;      // Sites: the observer of the range, such as "percentile:99.99"
  float absmax = 0;          // Sites: the magnitude of the largest code; unknown
  float smallest_scale = 0;  // for "token", like the scales
  float largest_scale = 0;
  std::string reason;
  friend bool operator==(const ManifestEntry&, const ManifestEntry&) = default;
};

struct Manifest {
  ConversionSource source;
  std::string recipe;
  std::vector<ManifestEntry> sites;
  std::vector<ManifestEntry> tables;
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

Manifest manifest_of(const Plan& plan);
void write_manifest(const Manifest& manifest, Model& model);
// Returns nullopt if there is no manifest. Throws an Error (bad_model) that names the field if it
// cannot be read.
std::optional<Manifest> read_manifest(const Model& model);

}  // namespace fp8q
