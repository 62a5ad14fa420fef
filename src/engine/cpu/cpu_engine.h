// The CPU engine prepares an Encoder's constants once and runs them over packed tokens.
//
// A batch is divided into micro-batches of whole sequences. If there are enough of them, each
// thread takes its own through the whole encoder, so that threads never wait for each other inside
// it. Otherwise (few tokens, or an observer, which needs an order) all threads share each product.
// The results are the same.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/batch_limits.h"
#include "engine/cpu/cpu_encoder.h"
#include "engine/cpu/forward.h"
#include "engine/cpu/micro_batch.h"
#include "engine/engine.h"
#include "engine/output_rows.h"

namespace fp8q::cpu {

class CpuEngine final : public Engine {
 public:
  CpuEngine(const Encoder& encoder, const CpuEngineSettings& settings);

  std::vector<EngineOutput> run(const PackedBatch& batch, const SiteObserver& observer) override;
  std::vector<EngineOutput> run_transformed(const PackedBatch& batch,
                                            std::span<const SiteTransform> transforms) override;
  std::vector<SiteRounding> rounding() const override { return encoder_.sites.counts(); }
  std::vector<StageTime> profile(const PackedBatch& batch) override;
  std::vector<Roof> roofs() override;
  std::vector<ProductSpeed> product_speeds() override;
  std::vector<KernelChoice> kernels() const override { return encoder_.kernels; }
  std::string device() const override { return "cpu"; }
  std::string description() const override;

 private:
  // Hands out idle passes with their memory. A call of run() takes at most as many as there are
  // threads.
  class Passes {
   public:
    explicit Passes(const CpuEncoder& encoder) : encoder_(encoder) {}
    std::unique_ptr<Forward> take();
    void give_back(std::unique_ptr<Forward> pass);

   private:
    const CpuEncoder& encoder_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Forward>> idle_;
  };

  std::vector<EngineOutput> run_passing(const PackedBatch& batch, const SitePass& pass);
  void run_micro(const PackedBatch& batch, const MicroBatch& micro, const Forward::Watch& watch,
                 std::vector<EngineOutput>& outputs);
  void store(const MicroBatch& micro, const Forward& pass,
             std::vector<EngineOutput>& outputs) const;

  std::vector<Site> sites_;
  std::vector<OutputRows> output_rows_;
  BatchLimits limits_;
  CpuEncoder encoder_;
  Passes passes_;
};

}  // namespace fp8q::cpu
