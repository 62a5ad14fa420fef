#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "base/error.h"
#include "base/open_file.h"
#include "base/temporary.h"

namespace fp8q {
namespace {

[[noreturn]] void fail_errno(const std::string& path, const char* action) {
  if (errno == ENOMEM) throw std::bad_alloc();
  fail(ErrorCode::file, "{}: cannot be {}: {}", printable(path), action, std::strerror(errno));
}

// The names of this process's temporary files are in fixed storage, so a signal handler may read
// them.
constexpr size_t kMaxTemporaries = 8;
constexpr size_t kMaxPath = 4096;
struct TemporarySlot {
  std::atomic<bool> used{false};
  std::array<char, kMaxPath> path{};
};
std::array<TemporarySlot, kMaxTemporaries> g_temporaries;

void remember_temporary(const std::string& path) noexcept {
  if (path.size() >= kMaxPath) return;
  for (auto& slot : g_temporaries) {
    if (slot.used) continue;
    std::memcpy(slot.path.data(), path.c_str(), path.size() + 1);
    slot.used = true;
    return;
  }
}

void forget_temporary(const std::string& path) noexcept {
  for (auto& slot : g_temporaries)
    if (slot.used && path == slot.path.data()) slot.used = false;
}

int synchronize(int fd) {
  int result = 0;
  do result = fdatasync(fd);
  while (result != 0 && errno == EINTR);
  return result;
}

fs::file_type type_of(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type != fs::file_type::none) return type;
  if (error == std::errc::permission_denied) return fs::file_type::not_found;
  if (error == std::errc::not_enough_memory) throw std::bad_alloc();
  fail(ErrorCode::file, "{}: cannot be examined: {}", printable(path.string()), error.message());
}

}  // namespace

bool is_there(const fs::path& path) { return type_of(path) != fs::file_type::not_found; }

bool is_folder(const fs::path& path) { return type_of(path) == fs::file_type::directory; }

bool is_file(const fs::path& path) { return type_of(path) == fs::file_type::regular; }

std::string beginning_of(const fs::path& path, size_t most) try {
  const auto [fd, size] = open_file(path, UINT64_MAX);
  std::string bytes(std::min<uint64_t>(size, most), '\0');
  read_exactly(fd, 0, bytes.data(), bytes.size(), path.string());
  return bytes;
} catch (const Error&) {
  return "";
}

bool begins_with(const fs::path& path, std::string_view bytes) {
  return beginning_of(path, bytes.size()) == bytes;
}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileDescriptor::~FileDescriptor() { close(); }

bool FileDescriptor::close() noexcept {
  const int fd = std::exchange(fd_, -1);
  return fd < 0 || ::close(fd) == 0 || errno == EINTR;  // Linux closes even then
}

OpenedFile open_file(const fs::path& path, uint64_t max_bytes) {
  // O_NONBLOCK is set because opening a fifo must not hang. It has no effect on regular files.
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) fail_errno(path.string(), "opened");
  OpenedFile file = regular_file(std::move(fd), path);
  if (file.size > max_bytes)
    fail(ErrorCode::limit, "{}: has {} bytes, at most {} are accepted", printable(path.string()),
         file.size, max_bytes);
  return file;
}

OpenedFile regular_file(FileDescriptor fd, const fs::path& path) {
  struct stat status {};
  const std::string shown = printable(path.string());
  if (fstat(fd.get(), &status) != 0) fail_errno(path.string(), "examined");
  if (S_ISDIR(status.st_mode)) fail(ErrorCode::file, "{}: is a folder, a file was expected", shown);
  if (!S_ISREG(status.st_mode)) fail(ErrorCode::file, "{}: is not a regular file", shown);
  return {std::move(fd), static_cast<uint64_t>(status.st_size)};
}

std::string read_file(const fs::path& path, uint64_t max_bytes) {
  const auto [fd, size] = open_file(path, max_bytes);
  std::string bytes(size, '\0');
  read_exactly(fd, 0, bytes.data(), size, path.string());
  return bytes;
}

void read_exactly(const FileDescriptor& fd, uint64_t offset, void* to, uint64_t size,
                  const std::string& what) {
  auto* out = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t n =
        pread(fd.get(), out, std::min<uint64_t>(size, 1 << 30), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno(what, "read");
    if (n == 0) fail(ErrorCode::file, "{}: ended while being read", printable(what));
    out += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<uint64_t>(n);
  }
}

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)) {
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  remove_stale_temporaries(folder);
  // An interrupt between creating the file and recording its name would leave the file behind.
  sigset_t interrupts, before;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  sigaddset(&interrupts, SIGTERM);
  sigaddset(&interrupts, SIGHUP);
  temporary_ = temporary_pattern(path_);
  pthread_sigmask(SIG_BLOCK, &interrupts, &before);
  fd_ = make_temporary(temporary_);
  const int error = errno;
  if (fd_.get() >= 0) remember_temporary(temporary_);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (fd_.get() < 0) {
    errno = error;
    fail_errno(path_.string(), "written");
  }
}

AtomicFile::~AtomicFile() {
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  forget_temporary(temporary_);
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_.get(), bytes.data(), std::min<size_t>(bytes.size(), 1 << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno(path_.string(), "written");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void AtomicFile::commit() {
  const mode_t mask = umask(0);
  umask(mask);
  // All that may fail comes before the rename, and so does all that takes memory.
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  const FileDescriptor dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fchmod(fd_.get(), 0666 & ~mask) != 0 || synchronize(fd_.get()) != 0 || !fd_.close() ||
      ::rename(temporary_.c_str(), path_.c_str()) != 0)
    fail_errno(path_.string(), "written");
  forget_temporary(temporary_);
  temporary_.clear();
  // Without this, a power cut may undo the rename. Some file systems refuse it; the data is safe
  // even then.
  if (dir.get() >= 0) fsync(dir.get());
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void remove_temporary_files() noexcept {
  for (auto& slot : g_temporaries)
    if (slot.used) ::unlink(slot.path.data());
}

}  // namespace fp8q
