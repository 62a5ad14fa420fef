#include "study/sensitivity.h"

#include "evaluate/output_error.h"

namespace fp8q {
namespace {

Harm harm_of(const OutputErrors& errors) {
  Harm harm;
  const auto count = static_cast<double>(errors.outputs().size());
  double loss = 0, agreement = 0, deciding = 0;
  for (const OutputError& output : errors.outputs()) {
    const double nmse = output.numbers.nmse();
    harm.divergence += (output.decisions ? output.kl_mean() : nmse) / count;
    harm.nmse += nmse / count;
    if (output.decisions == 0) continue;
    loss += output.loss();
    agreement += output.agreement();
    ++deciding;
  }
  if (deciding > 0) {
    harm.loss = loss / deciding;
    harm.agreement = agreement / deciding;
  }
  return harm;
}

class Measurement {
 public:
  Measurement(const Encoder& encoder, const Plan& plan, const SensitivityInputs& inputs,
              const TrialProgress& progress)
      : trials_(encoder, plan),
        judge_(encoder, inputs),
        progress_(progress),
        total_(2 * trials_.sites().size() + 2) {}

  Sensitivity run() {
    Sensitivity result;
    result.none = trial(nothing());
    std::vector<bool> rounded = nothing();
    for (const size_t s : trials_.sites()) rounded[s] = true;
    result.all = trial(rounded);
    for (const size_t s : trials_.sites()) {
      SiteHarm harm{.site = s, .alone = {}, .left_out = {}};
      std::vector<bool> alone = nothing();
      alone[s] = true;
      harm.alone = trial(alone);
      rounded[s] = false;
      harm.left_out = trial(rounded);
      rounded[s] = true;
      result.sites.push_back(harm);
    }
    return result;
  }

 private:
  std::vector<bool> nothing() const { return std::vector<bool>(trials_.site_count(), false); }

  Harm trial(const std::vector<bool>& rounded) {
    const Harm harm = judge_.harm(*trials_.engine_with(rounded));
    if (progress_) progress_(++done_, total_);
    return harm;
  }

  Trials trials_;
  TrialJudge judge_;
  const TrialProgress& progress_;
  size_t done_ = 0, total_;
};

}  // namespace

TrialJudge::TrialJudge(const Encoder& encoder, const SensitivityInputs& inputs)
    : encoder_(encoder), inputs_(inputs) {
  const auto engine = make_cpu_engine(encoder, ComputeType::fp32);
  for (const PackedBatch& batch : inputs.batches) float_outputs_.push_back(engine->run(batch));
}

Harm TrialJudge::harm(Engine& engine) const {
  OutputErrors errors(&encoder_);
  for (size_t b = 0; b < inputs_.batches.size(); ++b)
    errors.add(float_outputs_[b], engine.run(inputs_.batches[b]), inputs_.batches[b]);
  Harm harm = harm_of(errors);
  if (inputs_.score) harm.score = inputs_.score(engine);
  return harm;
}

Sensitivity measure_sensitivity(const Encoder& encoder, const Plan& plan,
                                const SensitivityInputs& inputs, const TrialProgress& progress) {
  return Measurement(encoder, plan, inputs, progress).run();
}

}  // namespace fp8q
