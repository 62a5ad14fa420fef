// The GPU engine runs an Encoder through cuBLASLt and the kernels of kernels/cuda.
//
// A batch is divided into micro-batches of whole sequences whose activations stay in the level 2
// cache. Each micro-batch is copied over, run and copied back by one captured graph. While one
// runs, the host prepares the next in other memory. Graphs are kept by bucket of sizes. Once each
// size has been seen, nothing is allocated, and the host waits only for results.
//
// Unlike the CPU engine's results, those of a sequence may differ in their last bits depending on
// what the sequence is packed with. The fastest algorithm of a product depends on the number of
// tokens, and the order of its sums depends on the algorithm.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/batch_limits.h"
#include "engine/cuda/algorithm_cache.h"
#include "engine/cuda/forward.h"
#include "engine/engine.h"
#include "engine/output_rows.h"

namespace fp8q::cuda {

struct CudaOptions {
  bool fast_accumulation = true;  // see MatmulShape
  AlgorithmChoice choice = AlgorithmChoice::timed;
  int64_t micro_batch_tokens = 0;  // 0: see token_budget.h
  size_t most_graphs = 128;        // number of graphs kept; beyond it all are made anew
};

class CudaEngine final : public Engine {
 public:
  // `table` must outlive the engine. The encoder's constants are copied.
  CudaEngine(const Encoder& encoder, const CublasLt& table, const DeviceInfo& device,
             const CudaOptions& options);
  ~CudaEngine() override;

  std::vector<EngineOutput> run(const PackedBatch& batch, const SiteObserver& observer) override;
  double timed_run(const PackedBatch& batch) override;
  std::vector<StageTime> profile(const PackedBatch& batch) override;
  std::vector<Roof> roofs() override;
  std::vector<KernelChoice> kernels() const override { return encoder_.kernels; }
  std::string device() const override { return "cuda"; }
  std::string description() const override;

 private:
  // Holds the memory of a micro-batch on its way. While the device works in one slot, the host
  // fills another.
  struct Slot {
    PinnedBuffer<std::byte> host_input;
    DeviceBuffer<std::byte> input;
    std::vector<PinnedBuffer<float>> host_outputs;  // one for each graph output
    Event done;
    MicroBatch micro;
    std::vector<int32_t> offsets;  // of the micro-batch, the first is 0
    bool busy = false;
  };
  struct GraphKey {
    size_t slot;
    Bucket bucket;
    friend auto operator<=>(const GraphKey&, const GraphKey&) = default;
  };
  int64_t default_budget();
  int64_t heads() const;
  int64_t place(const PackedBatch& batch, const MicroBatch& micro, const Bucket& bucket,
                Slot& slot);
  void prepare(const Bucket& bucket, Slot& slot);
  void copy_input(const Bucket& bucket, Slot& slot);
  void copy_outputs(const Bucket& bucket, Slot& slot);
  const GraphExec& graph_for(const Bucket& bucket, size_t slot);
  // Submits all of the batch. finish_all() waits for the work that still runs when submit()
  // returns.
  void submit(const PackedBatch& batch, std::vector<EngineOutput>& outputs);
  void finish_all(std::vector<EngineOutput>& outputs);
  void guarded(const std::function<void()>& work);
  void start(const PackedBatch& batch, const MicroBatch& micro, size_t slot);
  void finish(Slot& slot, std::vector<EngineOutput>& outputs);
  void run_observed(const PackedBatch& batch, const MicroBatch& micro, const SiteObserver& observer,
                    std::vector<EngineOutput>& outputs);
  std::vector<StageTime> profile_first_part(const PackedBatch& batch);
  const float* source(const OutputRows& output) const;

  std::vector<OutputRows> output_rows_;
  CudaOptions options_;
  BatchLimits limits_;
  MatmulContext context_;
  AlgorithmCache cache_;
  GpuEncoder encoder_;
  Forward forward_;
  int64_t budget_;  // tokens of a micro-batch
  StreamHandle stream_;
  std::array<Slot, 2> slots_;
  std::map<GraphKey, GraphExec> graphs_;
};

}  // namespace fp8q::cuda
