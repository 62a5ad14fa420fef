// Tells how many threads this process can keep busy.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace fp8q {

// Returns the number of cores that this process may run on, or fewer if the quota of a control
// group that it is in grants less time; at least 1.
int usable_cores();

// Returns the CPUs' worth of time that the control group of the process, or one above it, grants.
// `groups` is the text of /proc/self/cgroup, and `root` is where control groups are mounted. Knows
// both versions of control groups. Returns nullopt if there is no limit.
std::optional<double> cpu_quota(std::string_view groups, const std::filesystem::path& root);

}  // namespace fp8q
