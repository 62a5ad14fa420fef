// Computes the attention of one layer over packed sequences, from q, k, v of all tokens to the
// context.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/cpu/activation_sites.h"
#include "engine/cpu/attention_form.h"
#include "engine/cpu/buffer.h"
#include "engine/cpu/heads_feed.h"
#include "engine/cpu/operand.h"
#include "engine/engine.h"
#include "engine/weights.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/roof.h"

namespace fp8q::cpu {

struct AttentionScratch {
  Buffer<float> heads;     // what the HeadsFeed makes if attention was not fed
  Buffer<float> matrices;  // scores, then probabilities, of all heads of a sequence
  Buffer<float> gathered;  // matrices or one operand without gaps, for observers
};

class AttentionBlock {
 public:
  // No sequence may have more than `most_tokens`.
  AttentionBlock(const Attention& attention, const std::vector<Site>& sites, size_t most_tokens);

  // Returns what takes q, k and v for run(), and needs at most 3 * hidden * tokens floats of
  // memory. Returns nullopt if `pass` sees attention from within, or changes it there.
  std::optional<HeadsFeed> feed(float* to, size_t tokens, const SitePass& pass,
                                size_t first_column) const;

  struct Run {
    // Holds what the HeadsFeed has made, or [tokens, 3 hidden]: q, k, v side by side, which are
    // scaled in place.
    float* qkv;
    bool fed;
    float* out;                        // [tokens, hidden]
    std::span<const int32_t> offsets;  // [sequences + 1], the first is 0
    const SitePass* pass;
    const RowSink* feed = nullptr;  // gets what `out` would get
  };
  void run(const Run& args, AttentionScratch& scratch) const;

  // Returns how the products are formed, for the Site of one operand.
  std::string effective(int site) const;
  Unit unit() const { return unit_of(form_); }
  // Returns the operations of both products, 2 per multiplication with its addition.
  double operations(std::span<const int32_t> offsets) const;

 private:
  void count_values(const Run& args) const;
  void scale(const Run& args, Range rows) const;
  Run sorted(const Run& args, AttentionScratch& scratch) const;
  void show_operands(const Run& args, AttentionScratch& scratch) const;
  AttendHead head_of(const Run& args, size_t sequence, size_t head, float* scratch) const;
  HeadsLayout layout(size_t tokens) const;
  bool in_steps(const SitePass& pass) const;
  bool is_watched(const SitePass& pass) const;
  void attend(const Run& args) const;
  void feed_rows(const Run& args) const;
  void attend_in_steps(const Run& args, size_t sequence, AttentionScratch& scratch) const;
  void show_matrices(const Run& args, int site, size_t tokens, AttentionScratch& scratch) const;

  size_t heads_, head_size_;
  float scale_;
  QkvOperands operands_;
  AttentionOperand probabilities_;
  int scores_site_;
  AttentionForm form_;
};

}  // namespace fp8q::cpu
