#include "engine/engine.h"

#include <algorithm>

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

// Unquantized products run in FP32 or, on a GPU, whose list has no FP32, in BF16. FP8 runs in units
// of its own or as BF16.
std::vector<ProductSpeed> Engine::product_speeds() {
  const std::vector<Roof> known = roofs();
  const auto rate = [&](std::initializer_list<std::string_view> units) {
    for (const std::string_view unit : units) {
      const auto found = std::ranges::find(known, unit, &Roof::unit);
      if (found != known.end()) return found->operations_per_s;
    }
    return 0.0;
  };
  std::vector<ProductSpeed> speeds = {{std::nullopt, rate({"fp32", "bf16"})}};
  for (const Format format : kEveryFormat)
    speeds.push_back({format, info(format).integer ? rate({"int8"}) : rate({"fp8", "bf16"})});
  if (std::ranges::any_of(speeds, [](const auto& s) { return s.operations_per_s <= 0; })) return {};
  return speeds;
}

double Engine::timed_run(const PackedBatch& batch) {
  const Stopwatch watch;
  run(batch);
  return watch.seconds();
}

}  // namespace fp8q
