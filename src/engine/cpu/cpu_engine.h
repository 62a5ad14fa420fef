// The CPU engine prepares an Encoder's constants once and runs them over packed tokens.
//
// A batch is divided into micro-batches of whole sequences. If there are enough of them, each
// thread takes its own through the whole encoder, so that threads never wait for each other inside
// it. Otherwise (few tokens, or an observer, which needs an order) all threads share each product.
// The results are the same.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/batch_limits.h"
#include "engine/cpu/activation_sites.h"
#include "engine/cpu/attention_block.h"
#include "engine/cpu/embedding_block.h"
#include "engine/cpu/micro_batch.h"
#include "engine/cpu/operand.h"
#include "engine/cpu/prepared_linear.h"
#include "engine/cpu/stage_clock.h"
#include "engine/engine.h"
#include "engine/output_rows.h"

namespace fp8q::cpu {

// Holds a linear layer, or several joined layers that share the Site of their input.
struct LinearStep {
  int input_site, result_site;
  PreparedLinear linear;
};

struct NormStep {
  NormStep(const LayerNorm& norm, size_t width)
      : weights(norm, width), input_site(norm.input_site) {}
  NormWeights weights;
  int input_site;
};

class CpuEngine final : public Engine {
 public:
  CpuEngine(const Encoder& encoder, ComputeType compute, const std::function<void()>& layer_ready);

  std::vector<EngineOutput> run(const PackedBatch& batch, const SiteObserver& observer) override;
  std::vector<EngineOutput> run_transformed(const PackedBatch& batch,
                                            std::span<const SiteTransform> transforms) override;
  std::vector<SiteRounding> rounding() const override { return activation_sites_.counts(); }
  std::vector<StageTime> profile(const PackedBatch& batch) override;
  std::vector<Roof> roofs() override;
  std::vector<KernelChoice> kernels() const override { return kernels_; }
  std::string device() const override { return "cpu"; }
  std::string description() const override;

 private:
  struct Layer {
    std::vector<LinearStep> projections;  // one of width 3 hidden, or one each for q, k, v
    AttentionBlock attention;
    bool attention_residual_rounded;
    LinearStep attention_output;
    NormStep attention_norm;
    bool output_residual_rounded;
    LinearStep intermediate;
    Activation activation;
    LinearStep output;
    NormStep output_norm;
  };
  struct HeadStep {
    LinearStep step;
    Activation activation;
  };
  // Holds what observes and measures a micro-batch while it runs.
  struct Watch {
    SitePass pass;
    StageClock* clock = nullptr;
  };

  Layer make_layer(const EncoderLayer& layer);
  LinearStep make_step(const std::vector<const Linear*>& linears);
  void note_kernels();
  void note(int site, const std::string& effective);

  // Holds the state of one micro-batch on its way through the encoder. Its memory is reused.
  struct Workspace {
    Watch watch;
    // `x` holds the hidden states, `wide` q k v or the inside of the FFN, and `context` what is
    // added to x.
    Buffer<float> x, wide, context;
    std::vector<Buffer<float>> head_rows;  // the head's input, then the result of each stage
    Buffer<float> changed;                 // a linear layer's input after a transform
    Operand operands[2];                   // of the linear layer that runs, and of the next one
    size_t current = 0;                    // index of the operand of the layer that runs
    const LinearStep* fed = nullptr;       // the layer whose rows the other operand holds
    std::optional<LinearFeed> feed;
    AttentionScratch attention;

    void lap(const StageWork& work) {
      if (watch.clock) watch.clock->lap(work);
    }
  };
  // Hands out idle workspaces. There are never more of them than threads.
  class Workspaces {
   public:
    std::unique_ptr<Workspace> take();
    void give_back(std::unique_ptr<Workspace> workspace);

   private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Workspace>> idle_;
  };

  std::vector<EngineOutput> run_passing(const PackedBatch& batch, const SitePass& pass);
  void run_micro(const PackedBatch& batch, const MicroBatch& micro, const Watch& watch,
                 std::vector<EngineOutput>& outputs);
  void embed(const PackedBatch& batch, const MicroBatch& micro, Workspace& w) const;
  void run_layer(size_t index, const MicroBatch& micro, Workspace& w) const;
  void run_projections(const Layer& layer, const MicroBatch& micro, float* qkv, Workspace& w) const;
  void run_head(const MicroBatch& micro, Workspace& w) const;

  // Describes the input of a linear layer.
  struct Input {
    SiteRows rows;
    bool in_residual = false;  // a residual sum adds x later
    bool rounded = false;      // the residual sum adds x as the Site rounds it
  };
  const float* enter(int site, const Input& input, Workspace& w) const;
  const float* read(const LinearStep& step, const Input& input, const float* entered,
                    Workspace& w) const;
  // Names the linear layer that reads what a step makes.
  struct Next {
    const LinearStep* step = nullptr;
    bool whole_rows = false;  // the step makes whole rows at a time
    bool rounded = false;     // see Input::rounded
  };
  Next next_projection(size_t layer) const;
  const LinearFeed* feed(const Next& next, size_t rows, Workspace& w) const;
  struct Step {
    Stage stage;
    Input input;
    float* y;
    Activation activation = Activation::none;
    Next next = {};  // the only reader of y
  };
  void run_step(const LinearStep& step, const Step& args, Workspace& w) const;
  void finish_apart(const LinearStep& step, const Step& args, Workspace& w) const;
  void add_and_norm(const float* part, const NormStep& norm, const Next& next,
                    const MicroBatch& micro, Workspace& w) const;
  void store(const MicroBatch& micro, const Workspace& w, std::vector<EngineOutput>& outputs) const;

  std::vector<Site> sites_;
  ActivationSites activation_sites_;
  std::vector<OutputRows> output_rows_;
  HeadKind head_kind_;
  ComputeType compute_;
  bool expand_codes_;  // see ProductTypes
  size_t hidden_;
  BatchLimits limits_;
  EmbeddingBlock embeddings_;
  std::optional<LinearStep> projection_;
  std::vector<Layer> layers_;
  std::vector<HeadStep> head_;
  std::vector<KernelChoice> kernels_;  // ordered by Site, then parts without a Site
  Workspaces workspaces_;
};

}  // namespace fp8q::cpu
