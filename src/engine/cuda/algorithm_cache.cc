#include "engine/cuda/algorithm_cache.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <span>

#include "base/error.h"
#include "base/file.h"

namespace fp8q::cuda {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "fp8q/cublaslt-algorithms/1";
constexpr uint64_t kMostBytes = 16 << 20;

// "cublaslt-nvidia-h100-80gb-hbm3-sm90.json"
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

constexpr size_t kDigits = 16;  // of a word

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

Json header(const MachineKey& key) {
  return {{"schema", kSchema},
          {"gpu", key.gpu},
          {"compute_capability", key.capability},
          {"driver_version", key.driver_version},
          {"cublaslt_version", key.cublaslt_version}};
}

bool has_header(const Json& json, const MachineKey& key) {
  const Json expected = header(key);
  for (const auto& [name, value] : expected.items())
    if (!json.contains(name) || json[name] != value) return false;
  return true;
}

std::optional<TimedAlgorithm> entry_of(const Json& json) {
  if (!json.is_object() || !json.contains("algorithm") || !json["algorithm"].is_string() ||
      !json.contains("microseconds") || !json["microseconds"].is_number())
    return std::nullopt;
  const auto algorithm = algorithm_of(json["algorithm"].get<std::string>());
  const auto time = json["microseconds"].get<double>();
  if (!algorithm || time < 0) return std::nullopt;
  return TimedAlgorithm{*algorithm, time};
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
  const auto useless = [&](const std::string& why) {
    note_ = why + "; products are timed again";
    return Entries{};
  };
  const std::string name = printable(path_->string());
  Json json;
  try {
    json = Json::parse(read_file(*path_, kMostBytes), nullptr, false);
  } catch (const Error& e) {
    return useless(e.what());
  }
  if (json.is_discarded() || !json.is_object()) return useless(name + ": is no algorithm cache");
  if (!has_header(json, key_)) return useless(name + ": is of another GPU, driver or cuBLASLt");
  if (!json.contains("algorithms") || !json["algorithms"].is_object())
    return useless(name + ": is damaged");
  Entries entries;
  for (const auto& [shape, value] : json["algorithms"].items()) {
    const auto entry = entry_of(value);
    if (!entry) return useless(name + ": is damaged");
    entries[shape] = *entry;
  }
  return entries;
}

void AlgorithmCache::write(const Entries& entries) {
  Json json = header(key_);
  json["algorithms"] = Json::object();
  for (const auto& [shape, entry] : entries)
    json["algorithms"][shape] = {{"algorithm", hex(entry.algorithm)},
                                 {"microseconds", entry.microseconds}};
  fs::create_directories(path_->parent_path());
  write_file_atomically(*path_, json.dump(1) + "\n");
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
