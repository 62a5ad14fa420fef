#include "session/baselines.h"

#include "base/error.h"
#include "base/file.h"

namespace fp8q {

const std::string& Baselines::hash_of(const fs::path& path, Opened& opened) {
  const auto known = hashes_.find(path);
  if (known != hashes_.end()) return known->second;
  opened = open_model(path);
  return hashes_[path] = opened->file.sha256;
}

bool Baselines::is_source(const fs::path& path, const Manifest& manifest, Opened& opened) {
  if (!is_file(path)) return false;
  try {
    return hash_of(path, opened) == manifest.source.model_sha256;
  } catch (const Error&) {  // nobody named this file, which may be anything
    return false;
  }
}

std::optional<fs::path> Baselines::find(const Bundle& bundle, Opened& opened,
                                        std::vector<std::string>& notes) {
  const auto manifest = read_manifest(bundle.model);
  const std::string model = bundle.file.path.string();
  if (options_.baseline) {
    const fs::path path = model_file(*options_.baseline);
    if (manifest && path.filename() == manifest->source.model_name &&
        hash_of(path, opened) != manifest->source.model_sha256)
      notes.push_back(fmt::format("{} is not the model that {} was converted from, or has changed",
                                  path.string(), model));
    return path;
  }
  if (!manifest) return std::nullopt;
  const fs::path path = bundle.folder / fs::path(manifest->source.model_name).filename();
  if (is_source(path, *manifest, opened)) return path;
  notes.push_back(fmt::format(
      "{} was converted from {}, which is not beside it any more or has changed; give it with "
      "--baseline to see the difference",
      model, printable(manifest->source.model_name)));
  return std::nullopt;
}

std::optional<size_t> Baselines::of(const Bundle& bundle, std::vector<std::string>& notes) {
  if (!options_.use_baseline) return std::nullopt;
  hashes_.emplace(bundle.file.path, bundle.file.sha256);
  Opened opened;
  const auto path = find(bundle, opened, notes);
  if (!path) return std::nullopt;
  const std::string& hash = hash_of(*path, opened);
  if (hash == bundle.file.sha256) return std::nullopt;
  for (size_t b = 0; b < runs_.size(); ++b)
    if (runs_[b].file.sha256 == hash) return b;
  if (!opened) opened = open_model(*path);
  try {
    runs_.push_back(run_(*opened));
  } catch (const Error& e) {
    if (e.code() != ErrorCode::limit || options_.baseline) throw;
    fail(e.code(), "{}; --no-baseline scores {} without it", e.what(),
         printable(bundle.file.path.string()));
  }
  return runs_.size() - 1;
}

}  // namespace fp8q
