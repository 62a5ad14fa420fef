// The bytes of a file where they are: mapped, so that memory holds only what is looked at.
//
// They are those of the file that was opened. Another file renamed into its place (as AtomicFile
// does) changes nothing; who writes into the file itself changes them, and who cuts it short makes
// the next look at what is gone end the process with SIGBUS. Where the file system cannot map, they
// are read.
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
  // Of a regular file; errors as read_file().
  static std::shared_ptr<const FileBytes> open(const fs::path& path, uint64_t max_bytes);
  // `name` stands for the file in messages.
  static std::shared_ptr<const FileBytes> of(const OpenedFile& file, const std::string& name);
  // From memory instead.
  static std::shared_ptr<const FileBytes> of(std::string bytes);

  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  std::string_view view() const { return view_; }
  // Gives the memory of these bytes back: they are fetched again should somebody look at them.
  void release(std::string_view part) const noexcept;
  void release() const noexcept { release(view_); }

 private:
  FileBytes() = default;

  std::string held_;
  std::string_view view_;
  bool mapped_ = false;
};

}  // namespace fp8q
