// The manifest: what fp8q did to a model, kept in the model's metadata under "fp8q.manifest" as
// JSON without dates or paths, so that equal conversions give equal bytes.
#pragma once

#include <optional>

#include "quantize/plan.h"

namespace fp8q {

// A Site or an embedding table.
struct ManifestEntry {
  std::string path;          // of the Site; empty for a table
  std::string value;         // its ONNX name in the source model
  std::string format;        // "e4m3", "float16", ...; empty: left as it was
  std::string granularity;   // "tensor", "channel", "row", "token"; empty where there is no scale
  std::string observer;      // Sites: how the range was found, as "percentile:99.99"
  float absmax = 0;          // Sites: what is mapped to the largest code; "token": neither this
  float smallest_scale = 0;  // nor the scales
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
// nullopt where there is none. One that cannot be read is an Error (bad_model) naming the field.
std::optional<Manifest> read_manifest(const Model& model);

}  // namespace fp8q
