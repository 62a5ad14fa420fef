// Recognizes the part after the last layer: linear layers on the first or on every token, and the
// graph outputs.
#include <algorithm>
#include <numeric>

#include "encoder/parts.h"

namespace fp8q::match {
namespace {

// Records the path from the last layer to one graph output.
struct Trace {
  std::vector<ActivationPart> stages;
  bool first_token = false;
  std::optional<int> column;
  std::string hidden;
};

// Describes the selection that a chain of moves makes.
struct Selection {
  bool first_token = false;
  std::optional<int> column;
  std::string source;
};

// Follows moves (Gather, Slice, Squeeze, Split, ...) back to the value that they read, and runs
// them on indices to see what they select.
Selection match_selection(const View& view, const std::string& value) {
  std::vector<Link> chain;
  Selection selection;
  std::string& at = selection.source;
  for (at = value;;) {
    const auto producer = view.index().producer_index(at);
    if (!producer || !is_movement(view.node(*producer))) break;
    const Node& node = view.node(*producer);
    if (view.is_known(node.inputs[0])) break;
    const auto output = std::ranges::find(node.outputs, at) - node.outputs.begin();
    chain.insert(chain.begin(), {*producer, static_cast<size_t>(output)});
    at = node.inputs[0];
  }
  if (chain.empty()) differ("{} is no part of a known head", view.where(value));

  Tensor indices(DType::f32, view.shape(at));
  const auto all = indices.mutable_data<float>();
  std::iota(all.begin(), all.end(), 0.0f);
  const Tensor result = run_chain(view, chain, indices);
  const auto some = result.data<float>();
  if (std::ranges::equal(all, some)) return selection;
  const Probe& probe = view.probes()[0];
  const Shape shape = view.shape(at);
  const auto width = static_cast<size_t>(shape.empty() ? 1 : shape.back());
  const auto sequence = static_cast<size_t>(probe.sequence);
  const auto selects = [&](size_t count, auto index_of) {
    if (some.size() != count) return false;
    for (size_t i = 0; i < count; ++i)
      if (some[i] != static_cast<float>(index_of(i))) return false;
    return true;
  };
  if (all.size() == static_cast<size_t>(probe.batch) * sequence * width &&
      selects(static_cast<size_t>(probe.batch) * width,
              [&](size_t i) { return i / width * sequence * width + i % width; })) {
    selection.first_token = true;
    return selection;
  }
  if (!some.empty()) {
    const auto column = static_cast<size_t>(some[0]);
    if (column < width &&
        selects(all.size() / width, [&](size_t i) { return i * width + column; })) {
      selection.column = static_cast<int>(column);
      return selection;
    }
  }
  differ("{} selects neither the first token nor one column", view.where(value));
}

Trace trace(const View& view, const std::string& output) {
  Trace found;
  std::string value = output;
  while (true) {
    value = view.plain(value);
    if (auto part = find_activation(view, value)) {
      value = part->linear.input.source;
      found.stages.insert(found.stages.begin(), std::move(*part));
    } else if (find_layer_norm(view, value)) {
      found.hidden = view.rows(value);
      return found;
    } else {
      const Selection selection = match_selection(view, value);
      if ((selection.first_token && found.first_token) || (selection.column && found.column))
        differ("{} selects twice", view.where(value));
      if (selection.column && !found.stages.empty())
        differ("{} selects a column between linear layers", view.where(value));
      found.first_token |= selection.first_token;
      if (selection.column) found.column = selection.column;
      value = selection.source;
    }
  }
}

bool same_stage(const ActivationPart& a, const ActivationPart& b) {
  return a.linear.node == b.linear.node && a.activation == b.activation;
}

EncoderOutput output_of(const std::string& name, const Trace& traced, const HeadPart& head) {
  if (traced.stages.empty()) {
    if (traced.first_token || traced.column)
      differ("output \"{}\" is a part of the hidden states without a linear layer",
             printable(name));
    return {name, OutputSource::hidden_states, 0};
  }
  if (traced.first_token != (head.kind == HeadKind::first_token))
    differ("output \"{}\" has a head on other tokens than the outputs before", printable(name));
  for (size_t i = 0; i < traced.stages.size(); ++i)
    if (!same_stage(traced.stages[i], head.stages[i]))
      differ("output \"{}\" has a head of its own", printable(name));
  if (!traced.column)
    return {name, OutputSource::head_stage, static_cast<int>(traced.stages.size()) - 1};
  if (traced.stages.size() != head.stages.size() || traced.first_token)
    differ("output \"{}\" is one column of a result in the middle of the head", printable(name));
  return {name, OutputSource::head_column, *traced.column};
}

}  // namespace

HeadPart match_head(const View& view) {
  HeadPart head;
  std::vector<Trace> traces;
  for (const auto& output : view.model().graph.outputs) {
    traces.push_back(trace(view, output.name));
    const Trace& traced = traces.back();
    if (traced.hidden != traces.front().hidden)
      differ("the outputs come from different layers, {} and {}", view.where(traces.front().hidden),
             view.where(traced.hidden));
    if (traced.stages.empty()) continue;
    if (head.kind == HeadKind::none)
      head.kind = traced.first_token ? HeadKind::first_token : HeadKind::every_token;
    if (traced.stages.size() > head.stages.size()) head.stages = traced.stages;
  }
  if (traces.empty()) differ("the graph has no output");
  head.hidden = traces.front().hidden;
  for (size_t i = 0; i < traces.size(); ++i)
    head.outputs.push_back(output_of(view.model().graph.outputs[i].name, traces[i], head));
  return head;
}

}  // namespace fp8q::match
