#include "engine/memory_needs.h"

#include <algorithm>

#include "base/threads.h"
#include "engine/cpu/cpu_encoder.h"
#include "engine/cpu/machine.h"
#include "engine/cpu/micro_batch.h"
#include "engine/cpu/product.h"
#include "kernels/cpu/attention.h"

namespace fp8q {
namespace {

using cpu::JointLinears;

// Takes the stack and the blocks of products of a thread.
constexpr uint64_t kThreadBytes = uint64_t{1} << 20;
// Bounds of rows in panels and tiles: packed weights are filled up to whole ones.
constexpr uint64_t kInUnit = 64, kOutUnit = 16;

uint64_t round_up(uint64_t n, uint64_t unit) { return (n + unit - 1) / unit * unit; }
uint64_t size(int64_t n) { return static_cast<uint64_t>(n); }

// An engine refuses tables that are no matrices when it is made.
uint64_t width_of(const EmbeddingTable& table) {
  return table.rows.rank() == 2 ? size(table.rows.dim(1)) : 0;
}

class Needs {
 public:
  Needs(const Encoder& encoder, ComputeType compute)
      : encoder_(encoder), compute_(compute), expand_codes_(cpu::expands_codes(encoder)) {}

  EngineNeeds of_engine() {
    if (encoder_.embeddings.projection) add({&*encoder_.embeddings.projection});
    for (const EncoderLayer& layer : encoder_.layers) {
      for (const JointLinears& joint : cpu::projections_of(layer, encoder_.sites)) add(joint);
      for (const Linear* one : {&layer.attention_output, &layer.intermediate, &layer.output})
        add({one});
    }
    for (const HeadStage& stage : encoder_.head) add({&stage.linear});
    return needs_;
  }

 private:
  void add(const JointLinears& joint) {
    const auto& sites = encoder_.sites;
    const auto x = activation_quantization(sites, joint.front()->input_site);
    std::optional<Format> w = code_format(*joint.front(), sites);
    uint64_t out = 0, elements = 0;
    for (const Linear* l : joint) {
      if (code_format(*l, sites) != w) w.reset();
      out += size(l->out);
      elements += size(l->in * l->out);
    }
    const bool half = compute_ == ComputeType::bf16 && !x && !w;
    const auto in = size(joint.front()->in);
    const uint64_t each = cpu::weight_bytes_of(
        {x ? std::optional(x->format) : std::nullopt, w, half, expand_codes_}, in);
    needs_.weights +=
        round_up(in, kInUnit) * round_up(out, kOutUnit) * each + 3 * sizeof(float) * out;
    // The layers' own weights and the joint one, or one and its transpose, exist side by side.
    // Codes that are not packed as they are exist beside their values.
    const uint64_t while_packed = w && each == 1 ? 2 : w ? 1 + sizeof(float) : 2 * sizeof(float);
    needs_.packing = std::max(needs_.packing, elements * while_packed);
  }

  const Encoder& encoder_;
  ComputeType compute_;
  bool expand_codes_;
  EngineNeeds needs_;
};

bool has_operands(const Encoder& encoder, ComputeType compute) {
  return compute == ComputeType::bf16 || std::ranges::any_of(encoder.sites, [](const Site& s) {
           return s.quantization.has_value();
         });
}

bool rounds_scores(const Encoder& encoder) {
  return std::ranges::any_of(encoder.layers, [&](const EncoderLayer& layer) {
    const int site = layer.attention.scores_site;
    return site >= 0 && encoder.sites[static_cast<size_t>(site)].quantization;
  });
}

// Returns the floats that cpu::Forward keeps of a token. `steps` says whether attention runs in
// steps, with its matrices in memory.
uint64_t floats_of_token(const Encoder& encoder, bool operands, bool steps) {
  const uint64_t hidden = size(encoder.hidden);
  uint64_t widest = std::max(3 * hidden, width_of(encoder.embeddings.word));
  uint64_t operand = hidden;
  for (const EncoderLayer& layer : encoder.layers) {
    widest = std::max(widest, size(layer.intermediate.out));
    operand = std::max(operand, size(layer.intermediate.out));
  }
  uint64_t floats = 2 * hidden + widest;
  if (operands) floats += 2 * operand;
  if (steps) floats += operand + 3 * hidden;  // a changed copy; q, k and v sorted by heads
  for (const HeadStage& stage : encoder.head)
    if (is_per_token(encoder, stage.input)) floats += size(stage.linear.in + stage.linear.out);
  return floats;
}

// Returns the floats of attention's matrices of all heads of a sequence.
uint64_t floats_of_matrices(const Encoder& encoder, size_t tokens) {
  int64_t heads = 0;
  for (const EncoderLayer& layer : encoder.layers) heads = std::max(heads, layer.attention.heads);
  return size(heads) * tokens * cpu::score_stride(tokens);
}

// Returns the bytes that a thread needs, with the scratch of attention. Floats take the most.
uint64_t bytes_of_thread(const Encoder& encoder, size_t longest) {
  uint64_t scratch = 0;
  for (const EncoderLayer& layer : encoder.layers) {
    const auto head_size = static_cast<size_t>(std::max<int64_t>(layer.attention.head_size, 0));
    const size_t floats =
        cpu::attend_scratch(cpu::AttentionForm::f32, longest, head_size) + longest * head_size;
    scratch = std::max(scratch, floats * sizeof(float));
  }
  return kThreadBytes + scratch;
}

uint64_t output_bytes(const Encoder& encoder, const RunShape& shape) {
  uint64_t floats = 0;
  for (const EncoderOutput& output : encoder.outputs)
    floats += (is_per_token(encoder, output.rows) ? shape.tokens : shape.sequences) *
              (output.column ? 1 : size(width_of(encoder, output.rows)));
  return floats * sizeof(float);
}

}  // namespace

EngineNeeds cpu_engine_needs(const Encoder& encoder, ComputeType compute) {
  cpu::settle_machine();
  return Needs(encoder, compute).of_engine();
}

uint64_t cpu_run_needs(const Encoder& encoder, ComputeType compute, const RunShape& shape) {
  const bool observed = shape.watching == Watching::observer;
  const auto workers = static_cast<uint64_t>(threads());
  const auto [side_by_side, tokens] = cpu::most_under_way(shape.tokens, shape.longest, observed);
  const bool steps = shape.watching != Watching::nobody || rounds_scores(encoder);
  const uint64_t floats = floats_of_token(encoder, has_operands(encoder, compute), steps) * tokens;
  // An observer sees one sequence after another. Otherwise each thread has matrices of its own.
  const uint64_t matrices =
      steps ? 2 * (observed ? 1 : workers) * floats_of_matrices(encoder, shape.longest) : 0;
  return (side_by_side * floats + matrices) * sizeof(float) + output_bytes(encoder, shape) +
         workers * bytes_of_thread(encoder, shape.longest);
}

uint64_t site_bytes_of_token(const Encoder& encoder, size_t longest) {
  const uint64_t hidden = size(encoder.hidden);
  uint64_t floats = width_of(encoder.embeddings.word) + hidden;
  // Ten Sites of a layer have its width, two the inner one, and two a row of attention's matrices.
  for (const EncoderLayer& layer : encoder.layers)
    floats +=
        10 * hidden + 2 * size(layer.intermediate.out) + 2 * size(layer.attention.heads) * longest;
  for (const HeadStage& stage : encoder.head) floats += size(stage.linear.in + stage.linear.out);
  return floats * sizeof(float);
}

}  // namespace fp8q
