#include "base/interruption.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>

#include "base/error.h"

namespace fp8q {
namespace {

constexpr size_t kMaxCheckpointPath = 4096;
std::array<char, kMaxCheckpointPath> g_path;
std::array<char, kMaxCheckpointPath> g_shown;  // the path, printable
std::atomic<bool> g_announced{false};

}  // namespace

void announce_checkpoint(const std::filesystem::path& path) {
  const std::string text = path.string();
  g_announced = false;
  if (text.empty() || text.size() >= kMaxCheckpointPath) return;
  std::memcpy(g_path.data(), text.c_str(), text.size() + 1);
  const std::string shown = printable(text, kMaxCheckpointPath / 2);
  std::memcpy(g_shown.data(), shown.c_str(), shown.size() + 1);
  g_announced = true;
}

const char* announced_checkpoint() noexcept {
  return g_announced && access(g_path.data(), F_OK) == 0 ? g_shown.data() : nullptr;
}

}  // namespace fp8q
