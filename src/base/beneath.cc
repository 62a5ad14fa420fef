#include "base/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/error.h"
#include "base/open_file.h"

namespace fp8q {
namespace {

constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

[[noreturn]] void fail_to_open(const fs::path& path, int error) {
  if (error == ENOMEM) throw std::bad_alloc();
  fail(ErrorCode::file, "{}: cannot be opened: {}", printable(path.string()), std::strerror(error));
}

// Serves kernels without openat2. It opens one component after the other. O_NOFOLLOW gives ELOOP
// for a link to a file, and ENOTDIR for a link to a folder.
int open_by_components(int folder, const fs::path& relative) {
  FileDescriptor current(dup(folder));
  for (auto part = relative.begin(); part != relative.end();) {
    const fs::path name = *part++;
    const bool last = part == relative.end();
    const int fd =
        openat(current.get(), name.c_str(), kFlags | O_NOFOLLOW | (last ? 0 : O_DIRECTORY));
    struct stat status {};
    if (fd < 0 && errno == ENOTDIR &&
        fstatat(current.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
      errno = S_ISLNK(status.st_mode) ? ELOOP : ENOTDIR;
    if (fd < 0 || last) return fd;
    current = FileDescriptor(fd);
  }
  errno = ENOENT;
  return -1;
}

}  // namespace

std::optional<OpenedFile> open_beneath(const fs::path& folder, const fs::path& relative) {
  if (relative.is_absolute() || std::ranges::find(relative, "..") != relative.end())
    return std::nullopt;
  const fs::path base = folder.empty() ? fs::path(".") : folder;
  const FileDescriptor dir(::open(base.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.get() < 0) fail_to_open(base, errno);
  struct open_how how {};
  how.flags = kFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  int fd = static_cast<int>(syscall(SYS_openat2, dir.get(), relative.c_str(), &how, sizeof(how)));
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) fd = open_by_components(dir.get(), relative);
  FileDescriptor file(fd);
  if (fd < 0 && (errno == ELOOP || errno == EXDEV)) return std::nullopt;
  if (fd < 0) fail_to_open(folder / relative, errno);
  return regular_file(std::move(file), folder / relative);
}

}  // namespace fp8q
