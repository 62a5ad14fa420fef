#include "calibrate/statistics.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"

namespace fp8q {

namespace {
constexpr std::string_view kBeginning = "{\"schema\":\"fp8q/statistics/";
}  // namespace

const SiteStatistics* Statistics::find(std::string_view value) const {
  for (const SiteRecord& site : sites)
    if (site.value == value) return &site.statistics;
  return nullptr;
}

std::string difference(const Provenance& a, const Provenance& b) {
  const auto differ = [](const char* what, const auto& x, const auto& y) {
    return x == y ? "" : fmt::format("{} ({} and {})", what, x, y);
  };
  const auto hashes = [](const char* what, const std::string& x, const std::string& y) {
    return x == y ? ""
                  : fmt::format("{} (sha256 {} and {})", what, x.substr(0, 12), y.substr(0, 12));
  };
  for (const std::string& found :
       {hashes("the model", a.model_sha256, b.model_sha256),
        hashes("the data", a.data_sha256, b.data_sha256),
        hashes("the tokenizer", a.tokenizer_sha256, b.tokenizer_sha256),
        differ("the built-in sample", a.builtin_data, b.builtin_data),
        differ("--random-data", a.random_data, b.random_data), differ("--seed", a.seed, b.seed),
        differ("the task", printable(a.task), printable(b.task)),
        differ("--max-length", a.max_length, b.max_length),
        differ("the version of fp8q", printable(a.version), printable(b.version))})
    if (!found.empty()) return found;
  return "";
}

void Statistics::append(const Statistics& other) {
  if (const auto what = difference(provenance, other.provenance); !what.empty())
    fail(ErrorCode::bad_data, "these statistics cannot be merged: they differ in {}", what);
  const auto value = [](const SiteRecord& site) -> const std::string& { return site.value; };
  if (!std::ranges::equal(sites, other.sites, {}, value, value))
    fail(ErrorCode::bad_data, "these statistics cannot be merged: they differ in their Sites");
  if (part.of != other.part.of || part.end != other.part.begin)
    fail(ErrorCode::bad_data, "these statistics cannot be merged: {} and {} do not adjoin",
         part.text(), other.part.text());
  for (size_t i = 0; i < sites.size(); ++i) sites[i].statistics.merge(other.sites[i].statistics);
  provenance.examples += other.provenance.examples;
  provenance.tokens += other.provenance.tokens;
  part.end = other.part.end;
}

void save_statistics(const Statistics& statistics, const std::filesystem::path& path) {
  write_file_atomically(path, to_json(statistics));
}

Statistics load_statistics(const std::filesystem::path& path) {
  return statistics_from_json(read_file(path, kMaxStatisticsBytes), path.string());
}

bool is_statistics_file(const std::filesystem::path& path) { return begins_with(path, kBeginning); }

}  // namespace fp8q
