// Reads files within a size limit and writes them atomically.
//
// Errors carry ErrorCode::file (or ::limit for a file above its cap) and name the path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace fp8q {

namespace fs = std::filesystem;

// Tell what is at a path, where links lead. A folder that may not be entered holds nothing. Throw
// an Error (file) if the path cannot be examined for another reason: what is there must not pass
// for absent.
bool is_there(const fs::path& path);
bool is_folder(const fs::path& path);
bool is_file(const fs::path& path);

// Returns the contents of a regular file. Refuses folders, devices and files above `max_bytes`.
std::string read_file(const fs::path& path, uint64_t max_bytes);

// Returns up to `most` bytes that a regular file begins with, or none if the file cannot be read.
std::string beginning_of(const fs::path& path, size_t most);

// Returns whether a regular file begins with these bytes. Returns false if the file cannot be read.
bool begins_with(const fs::path& path, std::string_view bytes);

// Owns an open file descriptor, which is closed on destruction.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  int get() const noexcept { return fd_; }
  // Closes it now. Returns false, with errno, if that shows that written data was lost.
  bool close() noexcept;

 private:
  int fd_;
};

// Holds a regular file that is open for reading.
struct OpenedFile {
  FileDescriptor fd;
  uint64_t size;
};

// Reads exactly `size` bytes at `offset`.
void read_exactly(const FileDescriptor& fd, uint64_t offset, void* to, uint64_t size,
                  const std::string& what);

// Writes a file that appears under its name only when complete. It is written to a temporary
// neighbor, made durable, then renamed. If it is destroyed without commit(), it leaves nothing
// behind. What a killed process left in the folder is removed (base/temporary.h).
class AtomicFile {
 public:
  explicit AtomicFile(fs::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  fs::path temporary_path() const { return temporary_; }
  void commit();

 private:
  fs::path path_;
  std::string temporary_;  // empty once it has its name
  FileDescriptor fd_;
};

void write_file_atomically(const fs::path& path, std::string_view bytes);

// Removes every uncommitted temporary file of this process. It is safe to call from a signal
// handler (the clean-up of an interrupted run).
void remove_temporary_files() noexcept;

}  // namespace fp8q
