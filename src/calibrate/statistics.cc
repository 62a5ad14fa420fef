#include "calibrate/statistics.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"

namespace fp8q {

namespace {
// A 24-layer model with 4096 examples takes 6 MB.
constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;
constexpr std::string_view kBeginning = "{\"schema\":\"fp8q/statistics/";
}  // namespace

const SiteStatistics* Statistics::find(std::string_view value) const {
  for (const SiteRecord& site : sites)
    if (site.value == value) return &site.statistics;
  return nullptr;
}

void Statistics::merge(const Statistics& other) {
  const auto value = [](const SiteRecord& site) -> const std::string& { return site.value; };
  if (!std::ranges::equal(sites, other.sites, {}, value, value))
    fail(ErrorCode::bad_data,
         "statistics of different Sites cannot be merged: they belong to different models");
  for (size_t i = 0; i < sites.size(); ++i) sites[i].statistics.merge(other.sites[i].statistics);
  provenance.examples += other.provenance.examples;
  provenance.tokens += other.provenance.tokens;
}

void save_statistics(const Statistics& statistics, const std::filesystem::path& path) {
  write_file_atomically(path, to_json(statistics));
}

Statistics load_statistics(const std::filesystem::path& path) {
  return statistics_from_json(read_file(path, kMaxFileBytes), path.string());
}

bool is_statistics_file(const std::filesystem::path& path) { return begins_with(path, kBeginning); }

}  // namespace fp8q
