// Statistics of a model: what calibration found at every activation Site, and where it comes from.
//
// Stored as one JSON file, "fp8q/statistics/1": deterministic bytes (no dates, no paths of the
// machine beyond the data's), every number exact, sparse histograms, and a checksum of the content.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/site_statistics.h"

namespace fp8q {

// Everything the numbers depend on.
struct Provenance {
  std::string version;     // of fp8q
  std::string model_name;  // file name without its folder
  std::string model_sha256;
  std::string tokenizer_sha256;
  std::string data_path;  // empty for the built-in sample and random data
  std::string data_sha256;
  bool builtin_data = false;
  bool random_data = false;
  std::string task;  // empty where the data is plain text
  int64_t max_length = 0;
  uint64_t seed = 0;
  int64_t examples = 0;
  int64_t tokens = 0;
  friend bool operator==(const Provenance&, const Provenance&) = default;
};

struct SiteRecord {
  std::string value;  // Site::value
  std::string path;   // Site::path
  SiteStatistics statistics;
  friend bool operator==(const SiteRecord&, const SiteRecord&) = default;
};

struct Statistics {
  Provenance provenance;
  std::vector<SiteRecord> sites;

  const SiteStatistics* find(std::string_view value) const;  // nullptr: no such Site
  // Adds what another run over other examples of the same data found. Error (bad_data) unless both
  // list the same Sites in the same order; that the rest of the provenance agrees is checked by the
  // caller.
  void merge(const Statistics& other);
  friend bool operator==(const Statistics&, const Statistics&) = default;
};

// The bytes of the file. A name that is not UTF-8 is an Error (unsupported).
std::string to_json(const Statistics& statistics);
// `source` names the bytes in messages. Anything but what to_json() writes is an Error (bad_data)
// that names the field.
Statistics statistics_from_json(std::string_view bytes, const std::string& source);

void save_statistics(const Statistics& statistics, const std::filesystem::path& path);  // atomic
Statistics load_statistics(const std::filesystem::path& path);
// Whether the file begins as fp8q writes statistics, so that it may be replaced without asking.
// False also where it cannot be read.
bool is_statistics_file(const std::filesystem::path& path);

}  // namespace fp8q
