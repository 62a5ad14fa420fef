// Runs a forward pass of an encoder over one micro-batch, and holds the memory it needs, which the
// next pass uses again.
//
// A layer is seven steps: the product with q k v side by side, attention, its output product, the
// residual sum with LayerNorm, the two products of the FFN with the activation after the first, and
// a second residual sum with LayerNorm. A step hands its rows over, quantized, to the product that
// reads them (handover.h). They are also written as floats if more than that product needs them, or
// if their Site is watched.
#pragma once

#include <vector>

#include "engine/cpu/cpu_encoder.h"
#include "engine/cpu/handover.h"
#include "engine/cpu/micro_batch.h"
#include "engine/cpu/stage_clock.h"

namespace fp8q::cpu {

class Forward {
 public:
  // `encoder` must outlive the object.
  explicit Forward(const CpuEncoder& encoder);

  // Says what observes and measures a pass. The clock may be nullptr.
  struct Watch {
    SitePass sites;
    StageClock* clock = nullptr;
  };
  void run(const PackedBatch& batch, const MicroBatch& micro, const Watch& watch);

  // These are what a pass leaves: [tokens, hidden], and the results of a stage of the head.
  const float* hidden_states() const { return hidden_.data(); }
  const float* head_rows(size_t stage) const { return head_rows_.at(stage).data(); }

 private:
  // Holds what a pass is about.
  struct Pass {
    const PackedBatch& batch;
    const MicroBatch& micro;
    const Watch& watch;

    const SitePass& sites() const { return watch.sites; }
    void lap(const StageWork& work) const {
      if (watch.clock) watch.clock->lap(work);
    }
  };
  // Points to what the steps of a layer leave for each other, in rows of tokens.
  struct LayerRows {
    float *qkv, *context, *attended, *inner, *output;
  };
  // Describes the input of a linear layer.
  struct Input {
    SiteRows rows;
    bool in_residual = false;  // a residual sum adds the rows later
    bool rounded = false;      // the residual sum adds the rows as the Site rounds them
  };
  // Names the linear layer that reads what a step makes.
  struct Reader {
    const LinearStep* step = nullptr;  // nullptr: there are none or several
    bool whole_rows = false;           // the step makes whole rows at a time
    bool rounded = false;              // see Input::rounded
  };
  // Describes the run of a linear layer.
  struct Work {
    Stage stage;
    Input input;
    float* y;
    Function activation = Function::none;
    Reader reader = {};  // the only reader of y
  };

  void embed(const Pass& pass);
  LayerRows layer_rows(const Pass& pass, const CpuLayer& layer);
  void run_layer(const Pass& pass, size_t index);
  bool project(const Pass& pass, const CpuLayer& layer, float* qkv);
  void attend(const Pass& pass, const CpuLayer& layer, const LayerRows& rows, bool fed);
  void add_norm(const Pass& pass, const float* part, const NormStep& norm, const Reader& reader);
  void run_head(const Pass& pass);

  Reader reader_of(size_t layer) const;
  const RowSink* offer(const Pass& pass, const Reader& reader);
  const float* enter(const Pass& pass, int site, const Input& input);
  const float* read(const Pass& pass, const LinearStep& step, const Input& input,
                    const float* entered = nullptr);
  void product(const Pass& pass, const LinearStep& step, const Work& work);
  void finish_apart(const Pass& pass, const LinearStep& step, const Work& work) const;

  const CpuEncoder& encoder_;
  Buffer<float> hidden_;         // the hidden states: what every layer reads and leaves
  Buffer<float> wide_, narrow_;  // see layer_rows()
  std::vector<Buffer<float>> head_rows_;
  std::vector<float> head_input_;  // of a stage that does not read rows as they are
  Buffer<float> changed_;          // a linear layer's input after a transform
  Handover handover_;
  AttentionScratch attention_;
};

}  // namespace fp8q::cpu
