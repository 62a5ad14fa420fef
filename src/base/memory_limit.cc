#include "base/memory_limit.h"

#include <sys/resource.h>

#include <atomic>
#include <charconv>
#include <limits>
#include <sstream>

#include "base/checked.h"
#include "base/memory.h"

namespace fp8q {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();
std::atomic<uint64_t> max_memory = kNone;

constexpr uint64_t less(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// Returns the number behind "<member> " at the beginning of a line.
std::optional<uint64_t> member_of(std::string_view text, const std::string& member) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(member)) {
      const size_t at = line.find_first_not_of(' ', member.size());
      return at == line.npos ? std::nullopt : number(std::string_view(line).substr(at));
    }
  return std::nullopt;
}

// The names of a group's files in version 2 and in version 1.
struct GroupFiles {
  const char *limit, *anonymous;
};
constexpr GroupFiles kVersions[] = {{"memory.max", "anon "},
                                    {"memory.limit_in_bytes", "total_rss "}};

// Returns what one group grants, whose files are in `folder`.
std::optional<MemoryLimit> limit_of(const fs::path& folder, uint64_t own) {
  // Version 1 writes the largest multiple of a page where there is no limit.
  constexpr uint64_t kUnlimited = uint64_t{1} << 62;
  for (const auto& [limit, anonymous] : kVersions) {
    const auto bytes = number(first_line(folder / limit));  // nullopt: "max", or no file
    if (!bytes || *bytes >= kUnlimited) continue;
    const uint64_t all = member_of(text_of(folder / "memory.stat"), anonymous).value_or(own);
    return MemoryLimit{less(*bytes, less(all, own)), (folder / limit).string()};
  }
  return std::nullopt;
}

// Returns what a resource limit leaves for anonymous memory. `used` is what counts against it.
std::optional<MemoryLimit> resource_limit(decltype(RLIMIT_AS) resource, uint64_t used, uint64_t own,
                                          const char* source) {
  struct rlimit limit {};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return MemoryLimit{less(limit.rlim_cur, less(used, own)), source};
}

MemoryLimit available(uint64_t own) {
  const std::string text = text_of("/proc/meminfo");
  const auto free = meminfo_bytes(text, "MemAvailable");
  if (!free) return {kNone, "the size of an address"};
  return {own + *free + meminfo_bytes(text, "SwapFree").value_or(0),
          "what the machine has available"};
}

}  // namespace

void set_max_memory(std::optional<uint64_t> bytes) { max_memory = bytes.value_or(kNone); }

std::optional<uint64_t> meminfo_bytes(std::string_view text, std::string_view member) {
  const auto kilobytes = member_of(text, std::string(member) + ":");
  return kilobytes ? std::optional(capped_mul(*kilobytes, 1024)) : std::nullopt;
}

std::optional<MemoryLimit> granted_memory(const ControlGroups& groups, uint64_t own) {
  std::optional<MemoryLimit> least;
  for_each_control_group(groups, "memory", [&](const fs::path& folder) {
    const auto limit = limit_of(folder, own);
    if (limit && (!least || limit->bytes < least->bytes)) least = limit;
  });
  return least;
}

MemoryLimit memory_limit() {
  const MemoryUse use = memory_use();
  const uint64_t given = max_memory;
  MemoryLimit least =
      given == kNone ? available(use.anonymous) : MemoryLimit{given, "--max-memory"};
  for (const auto& other :
       {granted_memory(ControlGroups::of_this_process(), use.anonymous),
        resource_limit(RLIMIT_AS, use.address_space, use.anonymous, "ulimit -v"),
        resource_limit(RLIMIT_DATA, use.data, use.anonymous, "ulimit -d")})
    if (other && other->bytes < least.bytes) least = *other;
  return least;
}

}  // namespace fp8q
