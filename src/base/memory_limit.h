// Tells how much anonymous memory (base/memory.h) this process may have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/control_groups.h"

namespace fp8q {

struct MemoryLimit {
  uint64_t bytes;      // what the process may have in all, what it has already included
  std::string source;  // where the limit comes from, for messages: "--max-memory"
};

// Returns the least of these limits:
// - what set_max_memory() sets or, without it, what the process has and the machine has available
//   (MemAvailable and SwapFree in /proc/meminfo);
// - what the control groups of the process grant, see granted_memory();
// - RLIMIT_AS and RLIMIT_DATA, less what the process has of address space and of data beyond its
//   anonymous memory.
// It is found anew by every call, because other processes come and go.
MemoryLimit memory_limit();

// Sets the limit that the user gives; nullopt: none.
void set_max_memory(std::optional<uint64_t> bytes);

// Returns what the memory controller leaves to a process that has `own` bytes of anonymous memory:
// the limit of its control group, or of one above it, less what other processes of that group have.
// Knows both versions of control groups. Returns nullopt if there is no limit.
std::optional<MemoryLimit> granted_memory(const ControlGroups& groups, uint64_t own);

// Returns the bytes that a member of /proc/meminfo has ("MemAvailable"), or nullopt if the text,
// which is that file's, has no such member.
std::optional<uint64_t> meminfo_bytes(std::string_view text, std::string_view member);

}  // namespace fp8q
