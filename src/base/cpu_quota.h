// Tells how many threads this process can keep busy.
#pragma once

#include <optional>

#include "base/control_groups.h"

namespace fp8q {

// Returns the number of cores that this process may run on, or fewer if the quota of a control
// group that it is in grants less time; at least 1.
int usable_cores();

// Returns the CPUs' worth of time that the control group of the process, or one above it, grants.
// Returns nullopt if there is no limit.
std::optional<double> cpu_quota(const ControlGroups& groups);

}  // namespace fp8q
