#include "base/interruption.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>

namespace fp8q {
namespace {

constexpr size_t kMaxCheckpointPath = 4096;
std::array<char, kMaxCheckpointPath> g_path;
std::atomic<bool> g_announced{false};

}  // namespace

void announce_checkpoint(const std::filesystem::path& path) {
  const std::string text = path.string();
  g_announced = false;
  if (text.empty() || text.size() >= kMaxCheckpointPath) return;
  std::memcpy(g_path.data(), text.c_str(), text.size() + 1);
  g_announced = true;
}

const char* announced_checkpoint() noexcept {
  return g_announced && access(g_path.data(), F_OK) == 0 ? g_path.data() : nullptr;
}

}  // namespace fp8q
