#include "base/cpu_quota.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>

namespace fp8q {
namespace {

namespace fs = std::filesystem;

std::optional<double> quotient(const std::string& quota, const std::string& period) {
  // Where there is no number, strtod() returns 0.
  const double q = std::strtod(quota.c_str(), nullptr), p = std::strtod(period.c_str(), nullptr);
  if (!(q > 0) || !(p > 0)) return std::nullopt;  // "max", -1 or no file
  return q / p;
}

// Returns the limit of one group, whose files are in `folder`.
std::optional<double> limit_of(const fs::path& folder) {
  std::istringstream both(first_line(folder / "cpu.max"));
  std::string quota, period;
  if (both >> quota >> period) return quotient(quota, period);
  return quotient(first_line(folder / "cpu.cfs_quota_us"),
                  first_line(folder / "cpu.cfs_period_us"));
}

}  // namespace

std::optional<double> cpu_quota(const ControlGroups& groups) {
  std::optional<double> least;
  for_each_control_group(groups, "cpu", [&](const fs::path& folder) {
    if (const auto limit = limit_of(folder)) least = std::min(least.value_or(*limit), *limit);
  });
  return least;
}

int usable_cores() {
  cpu_set_t allowed;
  // Fails where there may be more processors than the set has places.
  double cores = sched_getaffinity(0, sizeof(allowed), &allowed) == 0
                     ? CPU_COUNT(&allowed)
                     : std::thread::hardware_concurrency();
  if (const auto quota = cpu_quota(ControlGroups::of_this_process()))
    cores = std::min(cores, std::ceil(*quota));
  return std::max(static_cast<int>(cores), 1);
}

}  // namespace fp8q
