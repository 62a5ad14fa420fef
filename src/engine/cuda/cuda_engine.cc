#include "engine/cuda/cuda_engine.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "engine/cuda/observation.h"
#include "engine/cuda/stage_timer.h"
#include "engine/cuda/token_budget.h"

namespace fp8q::cuda {
CudaEngine::CudaEngine(const Encoder& encoder, const CublasLt& table, const DeviceInfo& device,
                       const CudaOptions& options)
    : outputs_(encoder.outputs),
      head_kind_(encoder.head_kind),
      options_(options),
      limits_(encoder),
      context_(table, device),
      cache_(AlgorithmCache::default_folder(), MachineKey::of(context_)),
      encoder_(encoder, context_, {.fast_accumulation = options.fast_accumulation}),
      forward_(encoder_, head_kind_),
      budget_(options.micro_batch_tokens > 0 ? options.micro_batch_tokens : default_budget()) {
  for (Slot& slot : slots_) slot.host_outputs.resize(outputs_.size());
}

CudaEngine::~CudaEngine() { cache_.save(); }

std::string CudaEngine::description() const {
  const DeviceInfo& d = context_.device();
  return fmt::format("cuda, {}, CUDA {}, cuBLASLt {}, {} tokens at a time", d.name,
                     version_text(d.runtime_version), context_.table().GetVersion(), budget_);
}

// Between two kernels there are sums of two bytes and operands of one for the widest product, the
// residual stream, and operands of the hidden size.
int64_t CudaEngine::default_budget() {
  LayerWidths layer{.products = {}, .bytes_per_token = encoder_.widest * 3 + encoder_.hidden * 4};
  if (!encoder_.layers.empty())
    for (const GpuStep* step : encoder_.layers.front().steps())
      layer.products.push_back({step->linear.out(), step->linear.in()});
  return cuda::token_budget(layer, context_.device());
}

std::vector<EngineOutput> CudaEngine::run(const PackedBatch& batch, const SiteObserver& observer) {
  limits_.check(batch);
  std::vector<EngineOutput> outputs = make_outputs(batch);
  guarded([&] {
    if (observer) {
      for (const Part& part : divide(batch, budget_)) run_observed(batch, part, observer, outputs);
    } else {
      submit(batch, outputs);
      finish_all(outputs);
    }
  });
  return outputs;
}

// After an error nothing of the batch is under way any more, and no graph is left whose memory may
// have moved: the engine can be used again.
void CudaEngine::guarded(const std::function<void()>& work) {
  try {
    use_device(context_.device());
    work();
  } catch (...) {
    for (Slot& slot : slots_) slot.busy = false;
    graphs_.clear();
    cudaStreamSynchronize(stream_.get());  // the host's memory is filled anew; the error is known
    throw;
  }
}

double CudaEngine::timed_run(const PackedBatch& batch) {
  limits_.check(batch);
  std::vector<EngineOutput> outputs = make_outputs(batch);
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
  for (const Part& part : divide(batch, budget_)) {
    finish(slots_[slot], outputs);
    start(batch, part, slot);
    slot = (slot + 1) % slots_.size();
  }
}

void CudaEngine::finish_all(std::vector<EngineOutput>& outputs) {
  for (Slot& slot : slots_) finish(slot, outputs);
}

int64_t CudaEngine::heads() const {
  return encoder_.layers.empty() ? 1 : encoder_.layers.front().attention.arguments.heads;
}

// Writes the micro-batch into the slot's memory of the host. Returns the elements of its
// probabilities.
int64_t CudaEngine::place(const PackedBatch& batch, const Part& part, const Bucket& bucket,
                          Slot& slot) {
  const int32_t rows = rows_per_tile(batch, part, heads(), context_.device().multiprocessors);
  return fill(batch, part, bucket, encoder_.embeddings.position_offset, heads(), rows,
              BatchInput(slot.host_input.data(), bucket));
}

// Memory for the bucket. Graphs hold addresses: where memory moves they are void.
void CudaEngine::prepare(const Bucket& bucket, Slot& slot) {
  const void* before[] = {slot.host_input.data(), slot.input.data()};
  slot.host_input.grow(BatchInput::bytes(bucket), "a micro-batch");
  slot.input.grow(BatchInput::bytes(bucket), "a micro-batch");
  bool moved = before[0] != slot.host_input.data() || before[1] != slot.input.data();
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const int64_t rows = per_token(outputs_[i]) ? bucket.tokens : bucket.sequences;
    const float* old = slot.host_outputs[i].data();
    slot.host_outputs[i].grow(static_cast<size_t>(rows * source_width(outputs_[i])), "results");
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
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const int64_t rows = per_token(outputs_[i]) ? bucket.tokens : bucket.sequences;
    copy_to_host(slot.host_outputs[i].data(), source(outputs_[i]),
                 static_cast<size_t>(rows * source_width(outputs_[i])) * sizeof(float),
                 stream_.get());
  }
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

void CudaEngine::start(const PackedBatch& batch, const Part& part, size_t index) {
  Slot& slot = slots_[index];
  const Bucket bucket = bucket_for(part);
  if (!graphs_.contains({index, bucket})) {
    // The other slot's graph may be running in the memory that moves.
    stream_.synchronize("a forward pass");
    prepare(bucket, slot);
  }
  place(batch, part, bucket, slot);
  graph_for(bucket, index).launch(stream_.get());
  slot.done.record(stream_.get());
  slot.part = part;
  slot.busy = true;
}

void CudaEngine::finish(Slot& slot, std::vector<EngineOutput>& outputs) {
  if (!slot.busy) return;
  slot.busy = false;
  slot.done.synchronize();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const bool tokens = per_token(outputs_[i]);
    const auto rows =
        static_cast<size_t>(tokens ? slot.part.tokens : static_cast<int64_t>(slot.part.sequences));
    const size_t first = tokens ? static_cast<size_t>(slot.part.first_token) : slot.part.first;
    const auto width = static_cast<size_t>(outputs[i].width);
    const auto stride = static_cast<size_t>(source_width(outputs_[i]));
    const bool column = outputs_[i].source == OutputSource::head_column;
    const float* from = slot.host_outputs[i].data() + (column ? outputs_[i].index : 0);
    for (size_t r = 0; r < rows; ++r)
      std::memcpy(&outputs[i].values[(first + r) * width], from + r * stride,
                  width * sizeof(float));
  }
}

void CudaEngine::run_observed(const PackedBatch& batch, const Part& part,
                              const SiteObserver& observer, std::vector<EngineOutput>& outputs) {
  Slot& slot = slots_[0];
  const Bucket bucket = bucket_for(part);
  prepare(bucket, slot);
  const int64_t probabilities = place(batch, part, bucket, slot);
  copy_input(bucket, slot);
  Observation observation(batch, part, heads(), observer, stream_);
  forward_.submit(BatchInput(slot.input.data(), bucket), bucket, stream_.get(), &observation,
                  probabilities);
  copy_outputs(bucket, slot);
  slot.done.record(stream_.get());
  slot.part = part;
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
  const Part part = divide(batch, budget_).front();
  const auto at = [&](const std::vector<int32_t>& from) {
    return std::vector<int32_t>(from.begin(), from.begin() + part.tokens);
  };
  first.ids = at(batch.ids);
  first.type_ids = at(batch.type_ids);
  first.offsets.assign(batch.offsets.begin(),
                       batch.offsets.begin() + static_cast<ptrdiff_t>(part.sequences) + 1);
  Slot& slot = slots_[0];
  const Bucket bucket = bucket_for(part);
  prepare(bucket, slot);
  place(first, part, bucket, slot);
  copy_input(bucket, slot);
  StageTimer timer(stream_.get());
  forward_.submit(BatchInput(slot.input.data(), bucket), bucket, stream_.get(), &timer);
  return timer.times(first, encoder_);
}

std::vector<Roof> CudaEngine::roofs() { return roofs_of(context_.device()); }

bool CudaEngine::per_token(const EncoderOutput& output) const {
  return output.source == OutputSource::hidden_states || head_kind_ == HeadKind::every_token;
}

size_t CudaEngine::source_stage(const EncoderOutput& output) const {
  return output.source == OutputSource::head_stage ? static_cast<size_t>(output.index)
                                                   : encoder_.head.size() - 1;
}

int64_t CudaEngine::source_width(const EncoderOutput& output) const {
  if (output.source == OutputSource::hidden_states) return encoder_.hidden;
  return encoder_.head.at(source_stage(output)).dense.out();
}

const float* CudaEngine::source(const EncoderOutput& output) const {
  if (output.source == OutputSource::hidden_states) return forward_.hidden_states();
  return forward_.head_rows(source_stage(output));
}

std::vector<EngineOutput> CudaEngine::make_outputs(const PackedBatch& batch) const {
  std::vector<EngineOutput> outputs;
  for (const EncoderOutput& o : outputs_) {
    EngineOutput out{
        .name = o.name, .per_token = per_token(o), .width = source_width(o), .values = {}};
    if (o.source == OutputSource::head_column) out.width = 1;
    const size_t rows = out.per_token ? batch.tokens() : batch.sequences();
    out.values.resize(rows * static_cast<size_t>(out.width));
    outputs.push_back(std::move(out));
  }
  return outputs;
}

}  // namespace fp8q::cuda
