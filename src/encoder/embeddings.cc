// Recognizes embeddings: sums of table rows looked up by id, position and token type, then a layer
// norm.
#include <algorithm>
#include <span>

#include "encoder/parts.h"

namespace fp8q::match {
namespace {

// Describes one summand: rows of a table looked up by `index`, or the table's only row if `index`
// is empty.
struct Term {
  EmbeddingTable table;
  std::string index;
  bool sliced = false;  // takes the table's first rows in order, without a lookup
};

struct Lookup {
  ConstantOperand table;
  std::string index;
};

std::optional<Lookup> find_lookup(const View& view, const std::string& value, int64_t rank) {
  const Node* gather = view.producer(value);
  if (!is_op(gather, "Gather") || int_attribute(*gather, "axis", 0) != 0) return std::nullopt;
  auto table = find_constant(view, gather->inputs[0], 0);
  if (!table || table->transposed || table->tensor.rank() != rank) return std::nullopt;
  return Lookup{std::move(*table), gather->inputs[1]};
}

EmbeddingTable table_of(ConstantOperand constant) {
  EmbeddingTable table;
  table.rows = std::move(constant.tensor);
  if (!constant.quantization) return table;
  const Tensor& scale = constant.quantization->scale;
  const auto axis = constant.quantization->axis;
  if (constant.quantization->block) differ("an embedding table has scales per block");
  if (axis.value_or(0) != 0) differ("an embedding table has scales per column");
  Tensor scales(DType::f32, {table.rows.dim(0)});
  const auto to = scales.mutable_data<float>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = scale.data<float>()[axis ? i : 0];
  table.row_scales = std::move(scales);
  return table;
}

// Finds Gather(codes) -> DequantizeLinear with one scale.
std::optional<Term> find_dequantized(const View& view, const Node& node) {
  if (!is_op(&node, "DequantizeLinear")) return std::nullopt;
  auto lookup = find_lookup(view, node.inputs[0], 2);
  if (!lookup || !format_of(lookup->table.tensor.dtype())) return std::nullopt;
  auto read = read_dequantize(node, lookup->table.tensor.dtype(), 2, [&](const std::string& value) {
    return value.empty() ? nullptr : view.constant(value);
  });
  if (const auto* why = std::get_if<std::string>(&read)) throw Mismatch{*why};
  lookup->table.quantization = std::get<Quantization>(std::move(read));
  if (lookup->table.quantization->axis) differ("{} has several scales", describe(node));
  return Term{table_of(std::move(lookup->table)), lookup->index};
}

// Finds Cast(Gather(table)) with 16-bit rows, or codes without their scale.
std::optional<Lookup> find_cast_lookup(const View& view, const std::string& value) {
  const std::string at = view.rows(value);
  const Node* node = view.producer(at);
  if (is_op(node, "Cast")) return find_lookup(view, view.rows(node->inputs[0]), 2);
  return find_lookup(view, at, 2);
}

// Finds the row scales that belong to codes: the Gather of a vector or of a column.
std::optional<Lookup> find_scales(const View& view, std::string value) {
  for (int i = 0; i < 4; ++i) {
    for (const int64_t rank : {1, 2})
      if (auto lookup = find_lookup(view, value, rank);
          lookup && lookup->table.tensor.size() == lookup->table.tensor.dim(0))
        return lookup;
    const Node* node = view.producer(value);
    if (!is_op(node, "Unsqueeze") && !is_op(node, "Reshape") && !is_op(node, "Cast"))
      return std::nullopt;
    value = view.plain(node->inputs[0]);
  }
  return std::nullopt;
}

// Finds Cast(Gather(codes)) * Unsqueeze(Gather(row scales)).
std::optional<Term> find_scaled_rows(const View& view, const Node& node) {
  if (!is_op(&node, "Mul")) return std::nullopt;
  for (const size_t i : {0, 1}) {
    auto codes = find_cast_lookup(view, node.inputs[i]);
    if (!codes || !format_of(codes->table.tensor.dtype())) continue;
    auto scales = find_scales(view, view.plain(node.inputs[1 - i]));
    if (!scales || scales->index != codes->index ||
        scales->table.tensor.size() != codes->table.tensor.dim(0))
      continue;
    Term term{table_of(std::move(codes->table)), codes->index};
    term.table.row_scales =
        scales->table.tensor.to(DType::f32).reshaped({scales->table.tensor.size()});
    return term;
  }
  return std::nullopt;
}

// Finds a constant: one row for all tokens, or the first rows of a position table.
std::optional<Term> find_constant_rows(const View& view, const std::string& value) {
  const Tensor* contents = view.contents(value);
  if (!contents || contents->rank() == 0 || contents->dtype() != DType::f32) return std::nullopt;
  const int64_t width = contents->dim(-1);
  Term term;
  if (contents->size() == width) {
    term.table.rows = contents->reshaped({1, width});
    return term;
  }
  std::string at = view.rows(value);
  const Node* slice = view.producer(at);
  const Tensor* table =
      is_op(slice, "Slice") ? view.constant(view.rows(slice->inputs[0])) : nullptr;
  if (!table || table->dim(-1) != width || table->dtype() != DType::f32) return std::nullopt;
  const auto all = table->data<float>(), some = contents->data<float>();
  if (some.size() > all.size() || !std::ranges::equal(some, all.first(some.size())))
    return std::nullopt;
  term.table.rows = table->reshaped({table->size() / width, width});
  term.sliced = true;
  return term;
}

std::optional<Term> find_term(const View& view, const std::string& value) {
  const Node* node = view.producer(value);
  if (!node) return find_constant_rows(view, value);
  if (auto term = find_dequantized(view, *node)) return term;
  if (auto term = find_scaled_rows(view, *node)) return term;
  if (auto lookup = find_cast_lookup(view, value)) {
    if (format_of(lookup->table.tensor.dtype()) && !lookup->table.quantization)
      differ("{} looks up codes without a scale", describe(*node));
    return Term{table_of(std::move(lookup->table)), lookup->index};
  }
  return find_constant_rows(view, value);
}

// Returns the summands, from the first to the last. Every pending value is at least one summand, so
// the walk ends after kMostTerms of them for any graph.
std::vector<Term> find_terms(const View& view, const std::string& sum) {
  constexpr size_t kMostTerms = 4;  // BERT has 3
  std::vector<Term> terms;
  std::vector<std::string> pending = {sum};
  while (!pending.empty()) {
    const std::string at = view.rows(std::move(pending.back()));
    pending.pop_back();
    if (auto term = find_term(view, at)) {
      terms.push_back(std::move(*term));
      continue;
    }
    const Node* node = view.producer(at);
    if (!is_op(node, "Add")) differ("{} is no part of an embedding", view.where(at));
    if (terms.size() + pending.size() + 2 > kMostTerms)
      differ("{} is a sum of more than {} embeddings", view.where(sum), kMostTerms);
    pending.push_back(node->inputs[1]);
    pending.push_back(node->inputs[0]);
  }
  return terms;
}

// Returns the graph input that has the elements of the index in the same order; empty if the index
// is computed.
std::string input_behind(const View& view, std::string value) {
  while (const Node* node = view.producer(value)) {
    const bool keeps = is_op(node, "Identity") || is_op(node, "Cast") || is_op(node, "Reshape") ||
                       is_op(node, "Squeeze") || is_op(node, "Unsqueeze") || is_op(node, "Flatten");
    if (!keeps) return "";
    value = node->inputs[0];
  }
  return view.is_graph_input(value) ? value : "";
}

// Describes an index that counts along each sequence, or is the same for every token.
struct ComputedIndex {
  PositionRule rule;
  bool counts = false;

  // Returns whether `index` follows the rule for sequences of `length` tokens with these ids.
  bool fits(std::span<const int64_t> index, size_t length, const TrialIds& ids) const {
    int64_t next = rule.first;
    for (size_t i = 0; i < index.size(); ++i) {
      if (i % length == 0) next = rule.first;
      int64_t expected = rule.first;
      if (counts) expected = rule.padding_id == ids.at(i % length) ? rule.first - 1 : next++;
      if (index[i] != expected) return false;
    }
    return true;
  }
};

// Holds what a computed index is for some ids.
struct IndexTrial {
  TrialIds ids;
  size_t length;  // tokens of a sequence
  std::vector<int64_t> index;
};

std::vector<IndexTrial> try_index(const View& view, const std::string& index, InputRoles& roles) {
  std::vector<IndexTrial> trials;
  for (size_t probe = 0; probe < view.probes().size(); ++probe) {
    const auto piece = cone(view, probe, index, {}, [](const Node& node) {
      return !is_op(&node, "MatMul") && !is_op(&node, "Gemm");
    });
    if (!piece) differ("{} depends on activations", view.where(index));
    for (const auto& input : piece->open)
      if (input != roles.ids) note_mask(input, roles);
    for (const TrialIds& ids : ids_to_try(view, probe, *piece, roles)) {
      const Tensor tensor =
          run(view, probe, *piece, index, model_inputs(view, probe, roles, ids)).to(DType::i64);
      const auto values = tensor.data<int64_t>();
      if (values.empty()) differ("{} is empty", view.where(index));
      trials.push_back({ids,
                        static_cast<size_t>(view.probes()[probe].sequence),
                        {values.begin(), values.end()}});
    }
  }
  return trials;
}

ComputedIndex compute_index(const View& view, const std::string& index, InputRoles& roles) {
  const std::vector<IndexTrial> trials = try_index(view, index, roles);
  const std::vector<int64_t>& usual = trials.front().index;
  const bool counts = trials.front().length > 1 && usual.size() > 1 && usual[1] != usual[0];
  std::vector<ComputedIndex> rules = {{{usual[0], {}}, counts}};
  for (const IndexTrial& trial : trials)
    if (counts && usual[0] > 0 && trial.ids.special)
      rules.push_back({{usual[0], static_cast<int32_t>(*trial.ids.special)}, counts});
  for (const ComputedIndex& rule : rules)
    if (std::ranges::all_of(trials, [&](const IndexTrial& trial) {
          return rule.fits(trial.index, trial.length, trial.ids);
        }))
      return rule;
  differ("{} looks up neither positions in order nor one token type", view.where(index));
}

class Sorter {
 public:
  Sorter(const View& view, EmbeddingsPart& part) : view_(view), part_(part) {}

  void sort(std::vector<Term> terms) {
    std::vector<std::pair<std::string, Term>> direct;  // by graph input
    std::vector<Term> computed;
    for (auto& term : terms) {
      const std::string input = term.index.empty() ? "" : input_behind(view_, term.index);
      if (input.empty()) computed.push_back(std::move(term));
      else direct.emplace_back(input, std::move(term));
    }
    if (direct.empty()) differ("no embedding table is looked up by an input");
    // The tables tell the inputs apart: the vocabulary is the longest table, token types the
    // shortest.
    std::ranges::stable_sort(direct, std::ranges::greater{},
                             [](const auto& d) { return d.second.table.rows.dim(0); });
    part_.inputs.ids = direct[0].first;
    part_.embeddings.word = std::move(direct[0].second.table);
    for (auto& term : computed) place(std::move(term));
    for (size_t i = 1; i < direct.size(); ++i) {
      constexpr int64_t kMostTokenTypes = 16;
      auto& [input, term] = direct[i];
      const bool last = i + 1 == direct.size();
      if (!has_position_ && (!last || term.table.rows.dim(0) > kMostTokenTypes)) {
        part_.inputs.position = input;
        set_position(std::move(term.table), {});
      } else {
        part_.inputs.token_type = input;
        set_token_type(std::move(term.table));
      }
    }
    if (!has_position_) differ("no table of absolute positions");
    if (!part_.inputs.mask.empty()) note_mask(part_.inputs.mask, part_.inputs);
  }

 private:
  void place(Term term) {
    if (term.sliced) return set_position(std::move(term.table), {});
    if (term.index.empty()) return set_token_type(std::move(term.table));
    const auto index = compute_index(view_, term.index, part_.inputs);
    if (index.counts) return set_position(std::move(term.table), index.rule);
    if (index.rule.first != 0)
      differ("{} looks up a token type that is not 0", view_.where(term.index));
    set_token_type(std::move(term.table));
  }

  void set_position(EmbeddingTable table, const PositionRule& rule) {
    if (has_position_) differ("two tables of positions");
    has_position_ = true;
    part_.embeddings.position = std::move(table);
    part_.embeddings.position_rule = rule;
  }

  void set_token_type(EmbeddingTable table) {
    if (part_.embeddings.token_type) differ("two tables of token types");
    part_.embeddings.token_type = std::move(table);
  }

  const View& view_;
  EmbeddingsPart& part_;
  bool has_position_ = false;
};

}  // namespace

EmbeddingsPart match_embeddings(const View& view, const std::string& value) {
  EmbeddingsPart part;
  part.projection = find_linear(view, value);  // its result is the input of the first layer
  const std::string& normed = part.projection ? part.projection->input.source : value;
  auto norm = find_layer_norm(view, normed);
  if (!norm) differ("{} is neither a layer nor the layer norm of embeddings", view.where(normed));
  part.embeddings.norm = std::move(norm->norm);
  part.sum = std::move(norm->input);
  Sorter(view, part).sort(find_terms(view, part.sum.value));
  const int64_t width = part.embeddings.norm.gamma.size();
  const auto& [word, position, token_type, rule, embeddings_norm, projection] = part.embeddings;
  if (word.rows.size() == 0 || position.rows.size() == 0 ||
      (token_type && token_type->rows.size() == 0))
    differ("an embedding table is empty");
  if (word.rows.dim(1) != width || position.rows.dim(1) != width ||
      (token_type && token_type->rows.dim(1) != width))
    differ("the embedding tables differ in width");
  return part;
}

}  // namespace fp8q::match
