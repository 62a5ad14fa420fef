#include "session/masked_id_engine.h"

#include <algorithm>
#include <array>

namespace fp8q {
namespace {

std::span<const int32_t> part_of(const std::vector<int32_t>& values, const PackedBatch& batch,
                                 size_t sequence) {
  const auto from = static_cast<size_t>(batch.offsets[sequence]);
  return std::span(values).subspan(from, static_cast<size_t>(batch.offsets[sequence + 1]) - from);
}

class MaskedIdEngine final : public Engine {
 public:
  MaskedIdEngine(const Bundle& bundle, std::unique_ptr<Engine> engine)
      : bundle_(bundle), engine_(std::move(engine)) {}

  std::vector<EngineOutput> run(const PackedBatch& batch, const SiteObserver& observer) override {
    return run_apart(
        batch, [&](Engine& engine, const PackedBatch& part) { return engine.run(part, observer); });
  }

  std::vector<EngineOutput> run_transformed(const PackedBatch& batch,
                                            std::span<const SiteTransform> transforms) override {
    return run_apart(batch, [&](Engine& engine, const PackedBatch& part) {
      return engine.run_transformed(part, transforms);
    });
  }

  std::vector<SiteRounding> rounding() const override {
    std::vector<SiteRounding> counts = engine_->rounding();
    if (!interpreter_) return counts;
    const std::vector<SiteRounding> more = interpreter_->rounding();
    for (size_t i = 0; i < counts.size(); ++i) {
      counts[i].values += more[i].values;
      counts[i].saturated += more[i].saturated;
      counts[i].underflowed += more[i].underflowed;
    }
    return counts;
  }

  double timed_run(const PackedBatch& batch) override { return engine_->timed_run(batch); }
  std::vector<StageTime> profile(const PackedBatch& batch) override {
    return engine_->profile(batch);
  }
  std::vector<Roof> roofs() override { return engine_->roofs(); }
  std::vector<ProductSpeed> product_speeds() override { return engine_->product_speeds(); }
  std::vector<KernelChoice> kernels() const override { return engine_->kernels(); }
  std::string device() const override { return engine_->device(); }
  std::string description() const override { return engine_->description(); }

 private:
  // Holds some sequences of a batch, and where they are in it.
  struct Part {
    PackedBatch batch;
    std::vector<size_t> sequences;
  };

  std::array<Part, 2> divide(const PackedBatch& batch) const {
    std::array<Part, 2> parts;  // without the id, with it
    for (size_t s = 0; s < batch.sequences(); ++s) {
      const auto ids = part_of(batch.ids, batch, s);
      Part& part = parts[std::ranges::find(ids, *bundle_.encoder->masked_id) == ids.end() ? 0 : 1];
      part.batch.append(ids, part_of(batch.type_ids, batch, s));
      part.sequences.push_back(s);
    }
    return parts;
  }

  template <typename RunOn>
  std::vector<EngineOutput> run_apart(const PackedBatch& batch, const RunOn& run_on) {
    if (std::ranges::find(batch.ids, *bundle_.encoder->masked_id) == batch.ids.end())
      return run_on(*engine_, batch);
    if (!interpreter_) interpreter_ = make_interpreter_engine(bundle_.model, bundle_.sites);
    const std::array<Part, 2> parts = divide(batch);
    std::vector<EngineOutput> outputs = run_on(*interpreter_, parts[1].batch);
    if (parts[0].sequences.empty()) return outputs;
    std::vector<EngineOutput> others = run_on(*engine_, parts[0].batch);
    for (size_t o = 0; o < outputs.size(); ++o)
      outputs[o].values = joined(parts, {&others[o], &outputs[o]}, batch.sequences());
    return outputs;
  }

  // Returns the values of one output of both parts, in the order of the sequences.
  static std::vector<float> joined(const std::array<Part, 2>& parts,
                                   const std::array<const EngineOutput*, 2>& outputs,
                                   size_t sequences) {
    std::vector<std::span<const float>> pieces(sequences);
    for (size_t p = 0; p < parts.size(); ++p) {
      const EngineOutput& output = *outputs[p];
      const auto start = [&](size_t i) {
        return (output.per_token ? static_cast<size_t>(parts[p].batch.offsets[i]) : i) *
               static_cast<size_t>(output.width);
      };
      for (size_t i = 0; i < parts[p].sequences.size(); ++i)
        pieces[parts[p].sequences[i]] =
            std::span(output.values).subspan(start(i), start(i + 1) - start(i));
    }
    std::vector<float> values;
    for (const auto& piece : pieces) values.insert(values.end(), piece.begin(), piece.end());
    return values;
  }

  const Bundle& bundle_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Engine> interpreter_;  // made when it is needed first
};

}  // namespace

std::unique_ptr<Engine> with_masked_id(const Bundle& bundle, std::unique_ptr<Engine> engine) {
  return std::make_unique<MaskedIdEngine>(bundle, std::move(engine));
}

}  // namespace fp8q
