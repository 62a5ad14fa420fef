#include "engine/engine.h"

#include "base/error.h"
#include "base/stopwatch.h"

namespace fp8q {

void PackedBatch::append(std::span<const int32_t> sequence_ids,
                         std::span<const int32_t> sequence_type_ids) {
  FP8Q_ASSERT(sequence_type_ids.empty() || sequence_type_ids.size() == sequence_ids.size());
  ids.insert(ids.end(), sequence_ids.begin(), sequence_ids.end());
  type_ids.insert(type_ids.end(), sequence_type_ids.begin(), sequence_type_ids.end());
  type_ids.resize(ids.size(), 0);
  offsets.push_back(static_cast<int32_t>(ids.size()));
}

std::vector<EngineOutput> Engine::run_transformed(const PackedBatch&,
                                                  std::span<const SiteTransform>) {
  fail(ErrorCode::unsupported, "{}: cannot change values at Sites; use --device cpu",
       description());
}

void require_rounded_operands_only(const Encoder& encoder) {
  const auto refuse = [](const std::string& what) {
    fail(ErrorCode::unsupported,
         "{} is quantized, which is no operand of a matrix product; the CPU runs such models: use "
         "--device cpu",
         what);
  };
  for (const Site& site : encoder.sites)
    if (site.quantization && !is_operand(site.role)) refuse(site.path);
  for (size_t i = 0; i < encoder.layers.size(); ++i)
    if (encoder.layers[i].attention_residual_rounded || encoder.layers[i].output_residual_rounded)
      refuse(fmt::format("the residual stream of layer {}", i));
}

void check_transforms(const std::vector<Site>& sites, std::span<const SiteTransform> transforms) {
  FP8Q_ASSERT(transforms.size() == sites.size());
  for (size_t i = 0; i < sites.size(); ++i)
    FP8Q_ASSERT(!transforms[i].apply ||
                (sites[i].kind == SiteKind::activation && !sites[i].quantization));
}

double Engine::timed_run(const PackedBatch& batch) {
  const Stopwatch watch;
  run(batch);
  return watch.seconds();
}

}  // namespace fp8q
