// Gives access to the bytes of a file, mapped so that memory holds only the parts that are read.
//
// The bytes are those of the file that was opened. Renaming another file into its place (as
// AtomicFile does) changes nothing. Writing into the file itself changes the bytes. After the file
// is truncated, reading a missing part ends the process with SIGBUS. If the file system cannot map
// files, the bytes are read into memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"

namespace fp8q {

class FileBytes {
 public:
  // Opens a regular file; raises the errors of read_file().
  static std::shared_ptr<const FileBytes> open(const fs::path& path, uint64_t max_bytes);
  // `name` stands for the file in messages.
  static std::shared_ptr<const FileBytes> of(const OpenedFile& file, const std::string& name);
  // Holds bytes from memory instead of a file.
  static std::shared_ptr<const FileBytes> of(std::string bytes);

  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  std::string_view view() const { return view_; }
  // Gives the memory of these bytes back. They are fetched again on the next access.
  void release(std::string_view part) const noexcept;
  void release() const noexcept { release(view_); }
  // Hashes all bytes and gives their memory back, block by block.
  std::string sha256() const;

 private:
  FileBytes() = default;

  std::string held_;
  std::string_view view_;
  bool mapped_ = false;
};

}  // namespace fp8q
