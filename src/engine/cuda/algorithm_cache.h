// Remembers the fastest algorithm of each product from run to run.
//
// There is one JSON file for each GPU model, in the user's cache folder. The file is only a memory.
// A file that cannot be read, is damaged or was made by another driver or cuBLASLt counts as empty
// and is replaced. If nothing can be written, products are timed in every run.
#pragma once

#include <cublasLt.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "engine/cuda/matmul.h"

namespace fp8q::cuda {

// Identifies everything that an algorithm's time and its meaning to the library depend on.
struct MachineKey {
  std::string gpu;
  int capability = 0;
  int driver_version = 0;
  size_t cublaslt_version = 0;

  static MachineKey of(const MatmulContext& context);
  friend bool operator==(const MachineKey&, const MachineKey&) = default;
};

struct TimedAlgorithm {
  cublasLtMatmulAlgo_t algorithm{};
  double microseconds = 0;
};

class AlgorithmCache {
 public:
  // Keeps the file in `folder`, or keeps none if there is no folder.
  AlgorithmCache(const std::optional<std::filesystem::path>& folder, MachineKey key);

  // Returns $FP8Q_CACHE_DIR, else $XDG_CACHE_HOME/fp8q, else ~/.cache/fp8q, or nullopt if none is
  // set.
  static std::optional<std::filesystem::path> default_folder();

  std::optional<TimedAlgorithm> find(const MatmulShape& shape) const;
  void put(const MatmulShape& shape, const TimedAlgorithm& algorithm);

  // Writes what put() added, together with what other processes have written meanwhile. Call it
  // once, at the end. It never throws. (If two processes save in the same instant, one loses its
  // entries and times them again next time.)
  void save() noexcept;

  const std::optional<std::filesystem::path>& path() const { return path_; }
  // Returns what went wrong with the file, in one sentence, or an empty string.
  const std::string& note() const { return note_; }

 private:
  using Entries = std::map<std::string, TimedAlgorithm>;  // keyed by describe(shape)
  Entries read();
  void write(const Entries& entries);

  std::optional<std::filesystem::path> path_;
  MachineKey key_;
  Entries entries_, added_;
  std::string note_;
};

}  // namespace fp8q::cuda
