// Recognizes the part after the last layer: linear layers, what is done to rows before and behind
// them, and the graph outputs.
#include <algorithm>

#include "encoder/parts.h"

namespace fp8q::match {
namespace {

class HeadMatcher {
 public:
  explicit HeadMatcher(const View& view) : view_(view), deep_(view) {}

  HeadPart match() {
    for (const auto& output : view_.model().graph.outputs) {
      Found found = behind(output.name);
      part_.outputs.push_back({output.name, std::move(found.rows), found.column});
    }
    if (part_.outputs.empty()) differ("the graph has no output");
    return std::move(part_);
  }

 private:
  // Holds what a value is: rows, or one column of them.
  struct Found {
    HeadRows rows;
    std::optional<int> column;
    bool per_token = true;
  };

  Found behind(const std::string& reading) {
    constexpr int kMostSteps = 32;  // sentence encoders have about 5
    if (++depth_ > kMostSteps) differ("the head has more than {} steps", kMostSteps);
    Found found = step_behind(view_.plain(reading));
    --depth_;
    return found;
  }

  Found step_behind(const std::string& value) {
    if (find_layer_norm(view_, value)) return hidden_states(view_.rows(value));
    if (auto linear = find_rounded_linear(view_, value))
      return stage({Activation::none, std::move(*linear)});
    if (const auto step = find_row_step(view_, deep_, value)) return apply(*step, value);
    if (auto part = find_activation(view_, value)) return stage(std::move(*part));
    differ("{} is no part of a known head", view_.where(value));
  }

  Found hidden_states(const std::string& value) {
    if (part_.hidden.empty()) part_.hidden = value;
    if (part_.hidden != value)
      differ("the outputs come from different layers, {} and {}", view_.where(part_.hidden),
             view_.where(value));
    return {};
  }

  Found apply(const RowStep& step, const std::string& value) {
    Found found = behind(step.input);
    part_.masks.insert(step.masks.begin(), step.masks.end());
    if (!step.function && !step.column) return found;
    if (found.column) differ("{} reads a column of the head", view_.where(value));
    if (view_.shape(step.input).back() != width_of(found.rows))
      differ("{} reads rows of another width than the head makes", view_.where(value));
    found.column = step.column;
    if (!step.function) return found;
    if (is_pooling(*step.function)) {
      if (!found.per_token) differ("{} pools twice", view_.where(value));
      // With fixed shapes, padding would be pooled if there is no mask.
      if (*step.function != RowFunction::first_token && view_.probes().size() == 1)
        differ("{} pools a fixed number of tokens", view_.where(value));
      found.per_token = false;
    }
    found.rows.functions.push_back(*step.function);
    return found;
  }

  // Returns the stage of a linear layer, which outputs may share.
  Found stage(ActivationPart linear) {
    Found found = behind(linear.linear.input.source);
    if (found.column) differ("{} reads a column of the head", where(linear));
    if (linear.linear.linear.in != width_of(found.rows))
      differ("{} reads a part of the rows before it", where(linear));
    auto& stages = part_.stages;
    const auto same = std::ranges::find(
        stages, linear.linear.node, [](const HeadStagePart& s) { return s.linear.linear.node; });
    const auto index = static_cast<int>(same - stages.begin());
    if (same == stages.end()) stages.push_back({std::move(linear), found.rows});
    else if (same->linear.activation != linear.activation)
      differ("{} is read both before and behind its activation", where(linear));
    return {{index, {}}, {}, found.per_token};
  }

  int64_t width_of(const HeadRows& rows) const {
    return rows.stage < 0 ? view_.shape(part_.hidden).back()
                          : part_.stages[static_cast<size_t>(rows.stage)].linear.linear.linear.out;
  }

  std::string where(const ActivationPart& part) const {
    return describe(view_.node(part.linear.node));
  }

  const View& view_;
  DeepValues deep_;
  HeadPart part_;
  int depth_ = 0;
};

}  // namespace

HeadPart match_head(const View& view) { return HeadMatcher(view).match(); }

}  // namespace fp8q::match
