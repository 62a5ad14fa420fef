#include "base/cpu_quota.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace fp8q {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

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

// Returns whether a list such as "cpu,cpuacct" names the controller of CPU time.
bool names_cpu(const std::string& controllers) {
  std::istringstream list(controllers);
  for (std::string one; std::getline(list, one, ',');)
    if (one == "cpu") return true;
  return false;
}

}  // namespace

std::optional<double> cpu_quota(std::string_view groups, const fs::path& root) {
  std::optional<double> least;
  std::istringstream lines{std::string(groups)};
  // A line is "number:controllers:/path". Version 2 has number 0 and no controllers.
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const bool version_2 = second == first + 1;
    if (!version_2 && !names_cpu(line.substr(first + 1, second - first - 1))) continue;
    const fs::path mount = version_2 ? root : root / "cpu";
    fs::path group = fs::path(line.substr(second + 1)).relative_path();
    while (true) {
      if (const auto limit = limit_of(mount / group))
        least = std::min(least.value_or(*limit), *limit);
      if (group.empty()) break;
      group = group.parent_path();
    }
  }
  return least;
}

int usable_cores() {
  cpu_set_t allowed;
  // Fails where there may be more processors than the set has places.
  double cores = sched_getaffinity(0, sizeof(allowed), &allowed) == 0
                     ? CPU_COUNT(&allowed)
                     : std::thread::hardware_concurrency();
  std::ifstream file("/proc/self/cgroup");
  std::ostringstream groups;
  groups << file.rdbuf();
  if (const auto quota = cpu_quota(groups.str(), "/sys/fs/cgroup"))
    cores = std::min(cores, std::ceil(*quota));
  return std::max(static_cast<int>(cores), 1);
}

}  // namespace fp8q
