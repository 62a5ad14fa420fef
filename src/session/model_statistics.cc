#include "session/model_statistics.h"

#include "base/error.h"
#include "base/file.h"

namespace fp8q {

fs::path statistics_path(const fs::path& model, const std::optional<fs::path>& given) {
  return given.value_or(fs::path(model).replace_extension(".calib.json"));
}

void require_statistics(const fs::path& path, const Bundle& bundle) {
  if (!is_there(path))
    fail(ErrorCode::file,
         "{}: there are no statistics; run `fp8q calibrate {}` first, or name them with --calib",
         printable(path.string()), printable(bundle.file.path.string()));
}

Statistics statistics_from(const std::string& bytes, const fs::path& path, const Bundle& bundle) {
  Statistics statistics = statistics_from_json(bytes, path.string());
  if (statistics.provenance.model_sha256 != bundle.file.sha256)
    fail(ErrorCode::bad_data,
         "{}: holds the statistics of another model ({}, sha256 {}), not of {} (sha256 {}); "
         "calibrate this one",
         printable(path.string()), printable(statistics.provenance.model_name),
         statistics.provenance.model_sha256.substr(0, 12), printable(bundle.file.path.string()),
         bundle.file.sha256.substr(0, 12));
  if (!statistics.part.whole())
    fail(ErrorCode::bad_data,
         "{}: holds {} only; merge all shards with `fp8q merge`, or let the calibration go on",
         printable(path.string()), statistics.part.text());
  return statistics;
}

Statistics statistics_for(const Bundle& bundle, const fs::path& path) {
  require_statistics(path, bundle);
  return statistics_from(read_file(path, kMaxStatisticsBytes), path, bundle);
}

}  // namespace fp8q
