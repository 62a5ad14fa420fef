#include "engine/cpu/cpu_engine.h"

#include "base/threads.h"
#include "engine/cpu/machine.h"
#include "engine/cpu/product_speed.h"
#include "engine/cpu/roof.h"
#include "kernels/cpu/isa.h"

namespace fp8q::cpu {
CpuEngine::CpuEngine(const Encoder& encoder, const CpuEngineSettings& settings)
    : sites_(encoder.sites),
      output_rows_(output_rows(encoder)),
      limits_(encoder),
      encoder_(encoder, settings),
      passes_(encoder_) {}

std::string CpuEngine::description() const {
  return fmt::format("cpu, {} (Highway), {} thread{}", title(isa()), threads(),
                     threads() == 1 ? "" : "s");
}

std::unique_ptr<Forward> CpuEngine::Passes::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Forward>(encoder_);
  auto pass = std::move(idle_.back());
  idle_.pop_back();
  return pass;
}

void CpuEngine::Passes::give_back(std::unique_ptr<Forward> pass) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(pass));
}

std::vector<EngineOutput> CpuEngine::run(const PackedBatch& batch, const SiteObserver& observer) {
  return run_passing(batch, {&encoder_.sites, observer ? &observer : nullptr});
}

std::vector<EngineOutput> CpuEngine::run_transformed(const PackedBatch& batch,
                                                     std::span<const SiteTransform> transforms) {
  check_transforms(sites_, transforms);
  return run_passing(batch, {.sites = &encoder_.sites, .transforms = transforms});
}

std::vector<EngineOutput> CpuEngine::run_passing(const PackedBatch& batch, const SitePass& pass) {
  limits_.check(batch);
  std::vector<EngineOutput> outputs = make_outputs(output_rows_, batch);
  const Division division = divide(batch, pass.observer != nullptr);
  division.for_each([&](size_t i) { run_micro(batch, division.micros[i], {pass}, outputs); });
  return outputs;
}

std::vector<StageTime> CpuEngine::profile(const PackedBatch& batch) {
  limits_.check(batch);
  std::vector<EngineOutput> outputs = make_outputs(output_rows_, batch);
  const Division division = divide(batch, false);
  std::vector<StageClock> clocks(division.micros.size());
  division.for_each([&](size_t i) {
    run_micro(batch, division.micros[i], {{&encoder_.sites}, &clocks[i]}, outputs);
  });
  StageClock all;
  for (const StageClock& clock : clocks) all.add(clock);
  return all.times(division.side_by_side ? 1.0 / threads() : 1.0);
}

std::vector<Roof> CpuEngine::roofs() { return measure_roofs(); }

std::vector<ProductSpeed> CpuEngine::product_speeds() {
  constexpr size_t kTokens = 256;
  const size_t out =
      encoder_.layers.empty() ? encoder_.hidden : encoder_.layers.front().intermediate.linear.out();
  return measure_product_speeds({encoder_.hidden, out, kTokens});
}

void CpuEngine::run_micro(const PackedBatch& batch, const MicroBatch& micro,
                          const Forward::Watch& watch, std::vector<EngineOutput>& outputs) {
  std::unique_ptr<Forward> pass = passes_.take();
  pass->run(batch, micro, watch);
  store(micro, *pass, outputs);
  passes_.give_back(std::move(pass));
}

void CpuEngine::store(const MicroBatch& micro, const Forward& pass,
                      std::vector<EngineOutput>& outputs) const {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const OutputRows& rows = output_rows_[i];
    rows.write(rows.head_stage ? pass.head_rows(*rows.head_stage) : pass.hidden_states(),
               {micro.first_sequence, micro.first_token, micro.offsets}, outputs[i]);
  }
}

}  // namespace fp8q::cpu

namespace fp8q {

std::unique_ptr<Engine> make_cpu_engine(const Encoder& encoder, const CpuEngineSettings& settings) {
  cpu::settle_machine();
  return std::make_unique<cpu::CpuEngine>(encoder, settings);
}

}  // namespace fp8q
