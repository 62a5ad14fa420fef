#include "base/file_bytes.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory_plan.h"
#include "base/open_file.h"

namespace fp8q {

std::shared_ptr<const FileBytes> FileBytes::open(const fs::path& path, uint64_t max_bytes) {
  return of(open_file(path, max_bytes), path.string());
}

std::shared_ptr<const FileBytes> FileBytes::of(const OpenedFile& file, const std::string& name) {
  if (file.size == 0) return of(std::string());
  void* at = mmap(nullptr, file.size, PROT_READ, MAP_PRIVATE, file.fd.get(), 0);
  if (at == MAP_FAILED) {
    check_allocation(file.size);
    std::string bytes(file.size, '\0');
    read_exactly(file.fd, 0, bytes.data(), file.size, name);
    return of(std::move(bytes));
  }
  const std::shared_ptr<FileBytes> made(new FileBytes);
  made->view_ = {static_cast<const char*>(at), file.size};
  made->mapped_ = true;
  return made;
}

std::shared_ptr<const FileBytes> FileBytes::of(std::string bytes) {
  const std::shared_ptr<FileBytes> made(new FileBytes);
  made->held_ = std::move(bytes);
  made->view_ = made->held_;
  return made;
}

FileBytes::~FileBytes() {
  if (mapped_) munmap(const_cast<char*>(view_.data()), view_.size());
}

void FileBytes::release(std::string_view part) const noexcept {
  if (!mapped_) return;  // madvise() would lose the contents of memory that maps no file
  static const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  // A mapping begins on a page.
  const auto begin = static_cast<size_t>(part.data() - view_.data());
  const bool to_end = begin + part.size() == view_.size();
  const size_t first = (begin + page - 1) / page * page;
  const size_t last = (begin + part.size() + (to_end ? page - 1 : 0)) / page * page;
  if (first < last) madvise(const_cast<char*>(view_.data()) + first, last - first, MADV_DONTNEED);
}

std::string FileBytes::sha256() const {
  constexpr size_t kBlock = size_t{16} << 20;  // a multiple of every page size
  Sha256 hash;
  for (size_t begin = 0; begin < view_.size(); begin += kBlock) {
    const std::string_view block = view_.substr(begin, kBlock);
    hash.update(block);
    release(block);
  }
  return hash.finish();
}

}  // namespace fp8q
