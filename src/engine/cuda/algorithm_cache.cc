#include "engine/cuda/algorithm_cache.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "json/document.h"
#include "json/tree.h"

namespace fp8q::cuda {
namespace {

using json::Tree;
using json::Value;

constexpr const char* kSchema = "fp8q/cublaslt-algorithms/1";
constexpr uint64_t kMostBytes = 16 << 20;
constexpr json::Kind kKind{.what = "an algorithm cache"};

// Returns a name such as "cublaslt-nvidia-h100-80gb-hbm3-sm90.json".
std::string file_name(const MachineKey& key) {
  std::string name = "cublaslt-";
  for (const char c : key.gpu) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (letter) name += c;
    else if (c >= 'A' && c <= 'Z') name += static_cast<char>(c - 'A' + 'a');
    else if (name.back() != '-') name += '-';
  }
  if (name.back() != '-') name += '-';
  return name + fmt::format("sm{}.json", key.capability);
}

constexpr size_t kDigits = 16;  // hexadecimal digits of a word

std::string hex(const cublasLtMatmulAlgo_t& algorithm) {
  std::string text;
  for (const uint64_t word : algorithm.data) text += fmt::format("{:016x}", word);
  return text;
}

std::optional<cublasLtMatmulAlgo_t> algorithm_of(const std::string& text) {
  cublasLtMatmulAlgo_t algorithm{};
  if (text.size() != kDigits * std::size(algorithm.data)) return std::nullopt;
  const char* from = text.data();
  for (uint64_t& word : algorithm.data) {
    const auto [end, error] = std::from_chars(from, from + kDigits, word, 16);
    if (error != std::errc() || end != from + kDigits) return std::nullopt;
    from = end;
  }
  return algorithm;
}

Tree header(const MachineKey& key) {
  return {{"schema", kSchema},
          {"gpu", key.gpu},
          {"compute_capability", key.capability},
          {"driver_version", key.driver_version},
          {"cublaslt_version", key.cublaslt_version}};
}

bool has_header(const Value& root, const MachineKey& key) {
  return root["schema"].string() == kSchema && root["gpu"].string() == key.gpu &&
         root["compute_capability"].integer() == key.capability &&
         root["driver_version"].integer() == key.driver_version &&
         root["cublaslt_version"].unsigned_integer() == key.cublaslt_version;
}

TimedAlgorithm entry_of(const Value& value) {
  const Value text = value["algorithm"];
  const auto algorithm = algorithm_of(text.string());
  if (!algorithm) text.reject("is no algorithm");
  const Value time = value["microseconds"];
  if (time.number() < 0) time.reject("is negative");
  return {*algorithm, time.number()};
}

}  // namespace

MachineKey MachineKey::of(const MatmulContext& context) {
  const DeviceInfo& device = context.device();
  return {device.name, device.capability(), device.driver_version, context.table().GetVersion()};
}

AlgorithmCache::AlgorithmCache(const std::optional<fs::path>& folder, MachineKey key)
    : key_(std::move(key)) {
  if (!folder) {
    note_ = "there is no folder for the algorithm cache: set FP8Q_CACHE_DIR";
    return;
  }
  path_ = *folder / file_name(key_);
  entries_ = read();
}

std::optional<fs::path> AlgorithmCache::default_folder() {
  const auto variable = [](const char* name) -> std::optional<fs::path> {
    const char* value = std::getenv(name);
    if (!value || !*value) return std::nullopt;
    return value;
  };
  if (const auto folder = variable("FP8Q_CACHE_DIR")) return folder;
  if (const auto folder = variable("XDG_CACHE_HOME")) return *folder / "fp8q";
  if (const auto home = variable("HOME")) return *home / ".cache" / "fp8q";
  return std::nullopt;
}

std::optional<TimedAlgorithm> AlgorithmCache::find(const MatmulShape& shape) const {
  const auto entry = entries_.find(describe(shape));
  return entry == entries_.end() ? std::nullopt : std::optional(entry->second);
}

void AlgorithmCache::put(const MatmulShape& shape, const TimedAlgorithm& algorithm) {
  added_[describe(shape)] = entries_[describe(shape)] = algorithm;
}

AlgorithmCache::Entries AlgorithmCache::read() {
  std::error_code ignored;
  if (!fs::exists(*path_, ignored)) return {};
  try {
    const json::Document file = json::Document::read(*path_, kMostBytes, kKind);
    const Value root = file.root();
    if (!has_header(root, key_)) root.reject("is of another GPU, driver or cuBLASLt");
    Entries entries;
    for (const auto& [shape, value] : root["algorithms"].members())
      entries[std::string(shape)] = entry_of(value);
    return entries;
  } catch (const Error& e) {
    note_ = fmt::format("{}; products are timed again", e.what());
    return {};
  }
}

void AlgorithmCache::write(const Entries& entries) {
  Tree algorithms = Tree::object();
  for (const auto& [shape, entry] : entries)
    algorithms.add(shape,
                   {{"algorithm", hex(entry.algorithm)}, {"microseconds", entry.microseconds}});
  Tree json = header(key_);
  json["algorithms"] = algorithms;
  fs::create_directories(path_->parent_path());
  write_file_atomically(*path_, json.text({.indent = 1}) + "\n");
}

void AlgorithmCache::save() noexcept try {
  if (!path_ || added_.empty()) return;
  Entries all = read();
  all.insert(entries_.begin(), entries_.end());
  for (const auto& [shape, entry] : added_) all[shape] = entry;
  write(all);
  added_.clear();
} catch (const std::exception& e) {
  note_ = fmt::format("the algorithm cache was not written: {}", e.what());
}

}  // namespace fp8q::cuda
