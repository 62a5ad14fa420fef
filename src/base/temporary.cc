#include "base/temporary.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <mutex>
#include <set>

namespace fp8q {
namespace {

constexpr std::string_view kMark = ".tmp.fp8q-";
constexpr std::string_view kRandom = "XXXXXX";  // mkostemp() replaces it by letters and digits

bool is_temporary_name(const std::string& name) {
  const size_t tail = kMark.size() + kRandom.size();
  if (name.size() <= tail || name.compare(name.size() - tail, kMark.size(), kMark) != 0)
    return false;
  return std::ranges::all_of(name.substr(name.size() - kRandom.size()),
                             [](unsigned char c) { return std::isalnum(c); });
}

bool is_first_look(const fs::path& folder) {
  static std::mutex mutex;
  static std::set<fs::path> seen;
  const std::scoped_lock lock(mutex);
  return seen.insert(folder).second;
}

void remove_if_stale(const fs::path& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (fd.get() < 0 || fstat(fd.get(), &status) != 0) return;
  if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1) return;
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
}

}  // namespace

std::string temporary_pattern(const fs::path& path) {
  return path.string() + std::string(kMark) + std::string(kRandom);
}

FileDescriptor make_temporary(std::string& name) {
  while (true) {
    FileDescriptor fd(mkostemp(name.data(), O_CLOEXEC));
    if (fd.get() < 0) return fd;
    struct stat status {};
    // On a file system without locks, nobody can take the file for a stale one.
    const bool locked = flock(fd.get(), LOCK_EX) == 0;
    // Before it was locked, another process may have removed it as stale.
    if (!locked || fstat(fd.get(), &status) != 0 || status.st_nlink > 0) return fd;
    name.replace(name.size() - kRandom.size(), kRandom.size(), kRandom);
  }
}

void remove_stale_temporaries(const fs::path& folder) {
  if (!is_first_look(folder)) return;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (is_temporary_name(entry.path().filename().string())) remove_if_stale(entry.path());
}

}  // namespace fp8q
