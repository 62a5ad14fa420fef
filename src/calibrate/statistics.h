// Statistics of a model: what calibration found at every activation Site, and where it comes from.
//
// Stored as one JSON file, "fp8q/statistics/1": deterministic bytes (no dates, no paths of the
// machine beyond the data's), every number exact, sparse histograms, and a checksum of the content.
// A file may hold a part of the examples only: a shard, or what an interrupted run had done. It
// says so in the member "part", which others do not have; merged parts are the same bytes as the
// whole, made at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/part.h"
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
  Provenance provenance;  // examples and tokens: those of `part`
  Part part;              // the examples these statistics hold, of those the run was to see
  std::vector<SiteRecord> sites;

  const SiteStatistics* find(std::string_view value) const;  // nullptr: no such Site
  // Adds what a run over the examples that follow found. Error (bad_data), saying what differs,
  // unless both come from the same model, data and settings, list the same Sites in the same order,
  // and the other's part begins where this one ends.
  void append(const Statistics& other);
  friend bool operator==(const Statistics&, const Statistics&) = default;
};

// What differs between the circumstances of two runs ("the data (sha256 ...)"); empty: nothing on
// which the numbers depend, examples and tokens apart. Machines may keep files in different places.
std::string difference(const Provenance& a, const Provenance& b);

// The bytes of the file. A name that is not UTF-8 is an Error (unsupported).
std::string to_json(const Statistics& statistics);
// `source` names the bytes in messages. Anything but what to_json() writes is an Error (bad_data)
// that names the field.
Statistics statistics_from_json(std::string_view bytes, const std::string& source);

// A 24-layer model with 4096 examples takes 6 MB.
inline constexpr uint64_t kMaxStatisticsBytes = uint64_t{256} << 20;
void save_statistics(const Statistics& statistics, const std::filesystem::path& path);  // atomic
Statistics load_statistics(const std::filesystem::path& path);
// Whether the file begins as fp8q writes statistics, so that it may be replaced without asking.
// False also where it cannot be read.
bool is_statistics_file(const std::filesystem::path& path);

}  // namespace fp8q
