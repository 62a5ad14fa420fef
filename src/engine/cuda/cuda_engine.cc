#include "engine/cuda/cuda_engine.h"

#include <algorithm>

#include "base/error.h"
#include "engine/cuda/observation.h"
#include "engine/cuda/stage_timer.h"
#include "engine/cuda/token_budget.h"

namespace fp8q::cuda {
namespace {

// Returns the number of floats in the rows that an output is taken from.
size_t source_size(const OutputRows& output, const Bucket& bucket) {
  return static_cast<size_t>(output.source_per_token ? bucket.tokens : bucket.sequences) *
         output.source_width;
}

}  // namespace

CudaEngine::CudaEngine(const Encoder& encoder, const CublasLt& table, const DeviceInfo& device,
                       const CudaOptions& options)
    : output_rows_(output_rows(encoder)),
      options_(options),
      limits_(encoder),
      context_(table, device),
      cache_(AlgorithmCache::default_folder(), MachineKey::of(context_)),
      encoder_(encoder, context_, {.fast_accumulation = options.fast_accumulation}),
      forward_(encoder_),
      budget_(options.micro_batch_tokens > 0 ? options.micro_batch_tokens : default_budget()) {
  for (Slot& slot : slots_) slot.host_outputs.resize(output_rows_.size());
}

CudaEngine::~CudaEngine() { cache_.save(); }

std::string CudaEngine::description() const {
  const DeviceInfo& d = context_.device();
  return fmt::format("cuda, {}, CUDA {}, cuBLASLt {}, {} tokens at a time", d.name,
                     version_text(d.runtime_version), context_.table().GetVersion(), budget_);
}

// Between two kernels there are sums of two bytes and operands of one byte for the widest product,
// the residual stream, and operands of the hidden size.
int64_t CudaEngine::default_budget() {
  LayerWidths layer{.products = {}, .bytes_per_token = encoder_.widest * 3 + encoder_.hidden * 4};
  if (!encoder_.layers.empty())
    for (const GpuStep* step : encoder_.layers.front().steps())
      layer.products.push_back({step->linear.out(), step->linear.in()});
  return cuda::token_budget(layer, context_.device());
}

std::vector<EngineOutput> CudaEngine::run(const PackedBatch& batch, const SiteObserver& observer) {
  limits_.check(batch);
  std::vector<EngineOutput> outputs = make_outputs(output_rows_, batch);
  guarded([&] {
    if (observer) {
      for (const MicroBatch& micro : divide(batch, budget_))
        run_observed(batch, micro, observer, outputs);
    } else {
      submit(batch, outputs);
      finish_all(outputs);
    }
  });
  return outputs;
}

// After an error, no work of the batch is under way any more, and no graph is left whose memory may
// have moved. The engine can be used again.
void CudaEngine::guarded(const std::function<void()>& work) {
  try {
    use_device(context_.device());
    work();
  } catch (...) {
    for (Slot& slot : slots_) slot.busy = false;
    graphs_.clear();
    cudaStreamSynchronize(stream_.get());  // the host's memory will be reused; the error is known
    throw;
  }
}

double CudaEngine::timed_run(const PackedBatch& batch) {
  limits_.check(batch);
  std::vector<EngineOutput> outputs = make_outputs(output_rows_, batch);
  Event from, to;
  guarded([&] {
    from.record(stream_.get());
    submit(batch, outputs);
    to.record(stream_.get());
    finish_all(outputs);
    to.synchronize();
  });
  return Event::milliseconds(from, to) / 1000;
}

void CudaEngine::submit(const PackedBatch& batch, std::vector<EngineOutput>& outputs) {
  size_t slot = 0;
  for (const MicroBatch& micro : divide(batch, budget_)) {
    finish(slots_[slot], outputs);
    start(batch, micro, slot);
    slot = (slot + 1) % slots_.size();
  }
}

void CudaEngine::finish_all(std::vector<EngineOutput>& outputs) {
  for (Slot& slot : slots_) finish(slot, outputs);
}

int64_t CudaEngine::heads() const {
  return encoder_.layers.empty() ? 1 : encoder_.layers.front().attention.arguments.heads;
}

// Writes the micro-batch into the slot's host memory. Returns the number of elements of its
// probabilities.
int64_t CudaEngine::place(const PackedBatch& batch, const MicroBatch& micro, const Bucket& bucket,
                          Slot& slot) {
  slot.micro = micro;
  slot.offsets.assign(1, 0);
  for (size_t s = micro.first; s < micro.first + micro.sequences; ++s)
    slot.offsets.push_back(batch.offsets[s + 1] - static_cast<int32_t>(micro.first_token));
  const int32_t rows = rows_per_tile(batch, micro, heads(), context_.device().multiprocessors);
  return fill(batch, micro, bucket, encoder_.embeddings.position_rule, heads(), rows,
              BatchInput(slot.host_input.data(), bucket));
}

// Makes room for the bucket. Graphs hold addresses, so they are void if memory moves.
void CudaEngine::prepare(const Bucket& bucket, Slot& slot) {
  const void* before[] = {slot.host_input.data(), slot.input.data()};
  slot.host_input.grow(BatchInput::bytes(bucket), "a micro-batch");
  slot.input.grow(BatchInput::bytes(bucket), "a micro-batch");
  bool moved = before[0] != slot.host_input.data() || before[1] != slot.input.data();
  for (size_t i = 0; i < output_rows_.size(); ++i) {
    const float* old = slot.host_outputs[i].data();
    slot.host_outputs[i].grow(source_size(output_rows_[i], bucket), "results");
    moved |= old != slot.host_outputs[i].data();
  }
  moved |= forward_.prepare(bucket, stream_.get(), cache_, options_.choice);
  if (moved || graphs_.size() >= options_.most_graphs) graphs_.clear();
}

void CudaEngine::copy_input(const Bucket& bucket, Slot& slot) {
  copy_to_device(slot.input.data(), slot.host_input.data(), BatchInput::bytes(bucket),
                 stream_.get());
}

void CudaEngine::copy_outputs(const Bucket& bucket, Slot& slot) {
  for (size_t i = 0; i < output_rows_.size(); ++i)
    copy_to_host(slot.host_outputs[i].data(), source(output_rows_[i]),
                 source_size(output_rows_[i], bucket) * sizeof(float), stream_.get());
}

const GraphExec& CudaEngine::graph_for(const Bucket& bucket, size_t slot) {
  GraphExec& graph = graphs_[{slot, bucket}];
  if (!graph) {
    graph = capture(stream_.get(), [&] {
      copy_input(bucket, slots_[slot]);
      forward_.submit(BatchInput(slots_[slot].input.data(), bucket), bucket, stream_.get());
      copy_outputs(bucket, slots_[slot]);
    });
  }
  return graph;
}

void CudaEngine::start(const PackedBatch& batch, const MicroBatch& micro, size_t index) {
  Slot& slot = slots_[index];
  const Bucket bucket = bucket_for(micro);
  if (!graphs_.contains({index, bucket})) {
    // The other slot's graph may be running in the memory that moves.
    stream_.synchronize("a forward pass");
    prepare(bucket, slot);
  }
  place(batch, micro, bucket, slot);
  graph_for(bucket, index).launch(stream_.get());
  slot.done.record(stream_.get());
  slot.busy = true;
}

void CudaEngine::finish(Slot& slot, std::vector<EngineOutput>& outputs) {
  if (!slot.busy) return;
  slot.busy = false;
  slot.done.synchronize();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const OutputRows& rows = output_rows_[i];
    rows.write(slot.host_outputs[i].data(),
               {slot.micro.first, static_cast<size_t>(slot.micro.first_token), slot.offsets},
               outputs[i]);
  }
}

void CudaEngine::run_observed(const PackedBatch& batch, const MicroBatch& micro,
                              const SiteObserver& observer, std::vector<EngineOutput>& outputs) {
  Slot& slot = slots_[0];
  const Bucket bucket = bucket_for(micro);
  prepare(bucket, slot);
  const int64_t probabilities = place(batch, micro, bucket, slot);
  copy_input(bucket, slot);
  Observation observation(batch, micro, heads(), observer, stream_);
  forward_.submit(BatchInput(slot.input.data(), bucket), bucket, stream_.get(), &observation,
                  probabilities);
  copy_outputs(bucket, slot);
  slot.done.record(stream_.get());
  slot.busy = true;
  finish(slot, outputs);
}

std::vector<StageTime> CudaEngine::profile(const PackedBatch& batch) {
  run(batch, nullptr);  // settles algorithms and warms up
  std::vector<StageTime> times;
  guarded([&] { times = profile_first_part(batch); });
  return times;
}

std::vector<StageTime> CudaEngine::profile_first_part(const PackedBatch& batch) {
  PackedBatch first;  // one micro-batch stands for all
  const MicroBatch micro = divide(batch, budget_).front();
  const auto at = [&](const std::vector<int32_t>& from) {
    return std::vector<int32_t>(from.begin(), from.begin() + micro.tokens);
  };
  first.ids = at(batch.ids);
  first.type_ids = at(batch.type_ids);
  first.offsets.assign(batch.offsets.begin(),
                       batch.offsets.begin() + static_cast<ptrdiff_t>(micro.sequences) + 1);
  Slot& slot = slots_[0];
  const Bucket bucket = bucket_for(micro);
  prepare(bucket, slot);
  place(first, micro, bucket, slot);
  copy_input(bucket, slot);
  StageTimer timer(stream_.get());
  forward_.submit(BatchInput(slot.input.data(), bucket), bucket, stream_.get(), &timer);
  return timer.times(first, encoder_);
}

std::vector<Roof> CudaEngine::roofs() { return roofs_of(context_.device()); }

const float* CudaEngine::source(const OutputRows& output) const {
  return output.head_stage ? forward_.head_rows(*output.head_stage) : forward_.hidden_states();
}

}  // namespace fp8q::cuda
