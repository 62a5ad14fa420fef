// Holds the statistics of a model: what calibration found at every activation Site, and where it
// comes from.
//
// They are stored as one JSON file, "fp8q/statistics/1". Its bytes are deterministic (no dates, no
// paths of the machine beyond the data's), every number is exact, histograms are sparse, and the
// content has a checksum. A file may hold only a part of the examples: a shard, or what an
// interrupted run had done. Such a file says so in the member "part", which other files do not
// have. Merged parts give the same bytes as one run over all examples.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/part.h"
#include "calibrate/site_statistics.h"

namespace fp8q {

// Holds everything the numbers depend on.
struct Provenance {
  std::string version;     // version of fp8q
  std::string model_name;  // file name without its folder
  std::string model_sha256;
  std::string tokenizer_sha256;
  std::string data_path;  // empty for the built-in sample and random data
  std::string data_sha256;
  bool builtin_data = false;
  bool random_data = false;
  std::string task;  // empty if the data is plain text
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
  Provenance provenance;  // its examples and tokens are those of `part`
  Part part;              // which of the run's examples these statistics hold
  std::vector<SiteRecord> sites;

  const SiteStatistics* find(std::string_view value) const;  // nullptr if there is no such Site
  // Adds the statistics of the examples that follow. Throws an Error (bad_data) that says what
  // differs, unless both come from the same model, data and settings, list the same Sites in the
  // same order, and the other's part begins where this one ends.
  void append(const Statistics& other);
  friend bool operator==(const Statistics&, const Statistics&) = default;
};

// Returns what differs between the circumstances of two runs ("the data (sha256 ...)"). The text is
// empty if nothing differs on which the numbers depend, apart from examples and tokens. Machines
// may keep files in different places.
std::string difference(const Provenance& a, const Provenance& b);

// Returns the bytes of the file. Throws an Error (unsupported) if a name is not UTF-8.
std::string to_json(const Statistics& statistics);
// `source` names the bytes in messages. Throws an Error (bad_data) that names the field if the
// bytes are not what to_json() writes, and an Error (limit) if there are too many Sites.
Statistics statistics_from_json(std::string_view bytes, const std::string& source);

// A 24-layer model with 4096 examples takes 6 MB.
inline constexpr uint64_t kMaxStatisticsBytes = uint64_t{256} << 20;
// A Site takes 24 kB of memory, however short its text is. The largest encoders have 1000 Sites.
inline constexpr size_t kMaxStatisticsSites = 16'384;
void save_statistics(const Statistics& statistics, const std::filesystem::path& path);  // atomic
Statistics load_statistics(const std::filesystem::path& path);
// Returns whether the file begins like statistics of fp8q, so that it may be replaced without
// asking. Returns false if the file cannot be read.
bool is_statistics_file(const std::filesystem::path& path);

}  // namespace fp8q
