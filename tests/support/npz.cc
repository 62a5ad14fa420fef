#include "tests/support/npz.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace fp8q::test {
namespace {

template <typename T>
T little_endian(const std::string& bytes, size_t at) {
  if (at + sizeof(T) > bytes.size()) throw std::runtime_error("npz: truncated");
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

NpyArray parse_npy(const std::string& file) {
  if (file.compare(0, 6, "\x93NUMPY") != 0) throw std::runtime_error("npz: member is not .npy");
  const bool version1 = file[6] == 1;
  const size_t header_size =
      version1 ? little_endian<uint16_t>(file, 8) : little_endian<uint32_t>(file, 8);
  const size_t header_at = version1 ? 10 : 12;
  const std::string header = file.substr(header_at, header_size);
  NpyArray array;
  const size_t descr = header.find("'descr': '") + 10;
  array.descr = header.substr(descr, header.find('\'', descr) - descr);
  if (header.find("'fortran_order': False") == std::string::npos)
    throw std::runtime_error("npz: Fortran order");
  size_t at = header.find("'shape': (") + 10;
  while (header[at] != ')') {
    if (header[at] >= '0' && header[at] <= '9') {
      size_t used = 0;
      array.shape.push_back(std::stoul(header.substr(at), &used));
      at += used;
    } else {
      ++at;
    }
  }
  array.bytes = file.substr(header_at + header_size);
  return array;
}

template <typename From, typename To>
std::vector<To> converted(const NpyArray& array) {
  std::vector<To> out(array.size());
  if (array.bytes.size() < out.size() * sizeof(From)) throw std::runtime_error("npz: short array");
  for (size_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, array.bytes.data() + i * sizeof(From), sizeof(From));
    out[i] = static_cast<To>(value);
  }
  return out;
}

}  // namespace

size_t NpyArray::size() const {
  size_t n = 1;
  for (size_t d : shape) n *= d;
  return n;
}

template <typename T>
std::vector<T> NpyArray::as() const {
  const std::string type = descr.substr(1);
  if (type == "u1") return converted<uint8_t, T>(*this);
  if (type == "u2") return converted<uint16_t, T>(*this);
  if (type == "i4") return converted<int32_t, T>(*this);
  if (type == "i8") return converted<int64_t, T>(*this);
  if (type == "f4") return converted<float, T>(*this);
  if (type == "f8") return converted<double, T>(*this);
  throw std::runtime_error("npz: type " + descr);
}
template std::vector<int32_t> NpyArray::as() const;
template std::vector<int64_t> NpyArray::as() const;
template std::vector<float> NpyArray::as() const;
template std::vector<double> NpyArray::as() const;

std::map<std::string, NpyArray> read_npz(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string zip{std::istreambuf_iterator<char>(in), {}};
  std::map<std::string, NpyArray> arrays;
  // Local file headers follow one another; the central directory (PK\1\2) ends the list.
  for (size_t at = 0; zip.compare(at, 4, "PK\x03\x04") == 0;) {
    const auto method = little_endian<uint16_t>(zip, at + 8);
    uint64_t size = little_endian<uint32_t>(zip, at + 22);
    const size_t name_size = little_endian<uint16_t>(zip, at + 26);
    const size_t extra_size = little_endian<uint16_t>(zip, at + 28);
    const std::string name = zip.substr(at + 30, name_size);
    // NumPy writes ZIP64 headers: the size stands in the extra field 0x0001.
    if (size == 0xFFFFFFFF) size = little_endian<uint64_t>(zip, at + 30 + name_size + 4);
    if (method != 0) throw std::runtime_error("npz: compressed member " + name);
    const size_t data = at + 30 + name_size + extra_size;
    arrays[name.substr(0, name.rfind(".npy"))] = parse_npy(zip.substr(data, size));
    at = data + size;
  }
  if (arrays.empty()) throw std::runtime_error(path.string() + ": not an .npz archive");
  return arrays;
}

}  // namespace fp8q::test
