#include <algorithm>
#include <cmath>
#include <numbers>

#include "numeric/token_scale.h"
#include "tests/unit/engine/tiny_encoder.h"

namespace fp8q::test {
namespace {

using Matrix = std::vector<std::vector<double>>;  // rows

class Forward {
 public:
  Forward(const Encoder& encoder, const Observed& observed) : e_(encoder), observed_(observed) {}
  NaiveResult run(const std::vector<int32_t>& ids, const std::vector<int32_t>& type_ids);

 private:
  // Records x and replaces it by what the engine saw at this Site.
  void observe(int site, Matrix& x) {
    if (site < 0) return;
    // Not every engine shows values that enter no product.
    const bool shown = observed_.contains(site);
    if (!shown && !is_operand(e_.sites[static_cast<size_t>(site)].role)) return;
    auto& computed = result_.computed[site];
    const auto& seen = observed_.at(site);
    for (auto& row : x)
      for (double& v : row) {
        computed.push_back(v);
        v = seen.at(computed.size() - 1);
      }
  }
  Matrix quantized(int site, Matrix x) const;
  // Handles a Site that enters no product.
  void pass(int site, Matrix& x) {
    observe(site, x);
    x = quantized(site, std::move(x));
  }
  Matrix weight(const Linear& l) const;
  Matrix linear(const Linear& l, const Matrix& x) const;
  Matrix attention(const EncoderLayer& l, Matrix& x);
  Matrix layer(const EncoderLayer& l, Matrix x);

  const Encoder& e_;
  const Observed& observed_;
  NaiveResult result_;
};

std::vector<double> doubles(const Tensor& t) {
  const Tensor f = t.to(DType::f32);
  return {f.data<float>().begin(), f.data<float>().end()};
}

Matrix Forward::quantized(int site, Matrix x) const {
  if (site < 0 || !e_.sites[static_cast<size_t>(site)].quantization) return x;
  const Quantization& q = *e_.sites[static_cast<size_t>(site)].quantization;
  for (auto& row : x) {
    float scale = q.scale.data<float>()[0];
    for (size_t c = 0; c < q.factors.size(); ++c)
      row[c] = static_cast<float>(row[c]) * q.factors[c];
    if (q.per_token) {
      float absmax = 0;
      for (const double v : row) absmax = std::max(absmax, std::fabs(static_cast<float>(v)));
      scale = token_scale(q.format, absmax);
    }
    for (double& v : row)
      v = double{decode(q.format, encode(q.format, static_cast<float>(v), scale))} * scale;
  }
  return x;
}

Matrix Forward::weight(const Linear& l) const {
  auto values = doubles(l.weight);
  const auto& q = e_.sites[static_cast<size_t>(l.weight_site)].quantization;
  const auto columns = static_cast<size_t>(l.weight.dim(1));
  if (q) {
    const auto scales = doubles(q->scale);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] *=
          scales.size() == 1 ? scales[0] : scales[*q->axis == 0 ? i / columns : i % columns];
  }
  Matrix w(static_cast<size_t>(l.in), std::vector<double>(static_cast<size_t>(l.out)));
  for (size_t i = 0; i < values.size(); ++i) {
    if (l.transposed) w[i % columns][i / columns] = values[i];
    else w[i / columns][i % columns] = values[i];
  }
  return w;
}

Matrix Forward::linear(const Linear& l, const Matrix& x) const {
  const Matrix w = weight(l);
  const auto bias = doubles(*l.bias);
  Matrix y;
  for (const auto& row : quantized(l.input_site, x)) {
    y.push_back(bias);
    for (size_t k = 0; k < w.size(); ++k)
      for (size_t n = 0; n < w[k].size(); ++n) y.back()[n] += row[k] * w[k][n];
  }
  return y;
}

double activate(Activation a, double x) {
  switch (a) {
    case Activation::none:
      return x;
    case Activation::gelu_erf:
      return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
    case Activation::gelu_tanh:
      return 0.5 * x *
             (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::tanh:
      return std::tanh(x);
  }
  return x;
}

void activate(Activation a, Matrix& x) {
  for (auto& row : x)
    for (double& v : row) v = activate(a, v);
}

void normalize(const LayerNorm& norm, Matrix& x) {
  const auto gamma = doubles(norm.gamma), beta = doubles(norm.beta);
  for (auto& row : x) {
    double mean = 0, variance = 0;
    const auto n = static_cast<double>(row.size());
    for (const double v : row) mean += v / n;
    for (const double v : row) variance += (v - mean) * (v - mean) / n;
    for (size_t i = 0; i < row.size(); ++i)
      row[i] = (row[i] - mean) / std::sqrt(variance + norm.epsilon) * gamma[i] + beta[i];
  }
}

Matrix sum(const Matrix& a, const Matrix& b) {
  Matrix c = a;
  for (size_t i = 0; i < c.size(); ++i)
    for (size_t j = 0; j < c[i].size(); ++j) c[i][j] += b[i][j];
  return c;
}

Matrix columns(const Matrix& x, size_t from, size_t count, double factor) {
  Matrix y;
  for (const auto& row : x) {
    y.emplace_back(row.begin() + static_cast<ptrdiff_t>(from),
                   row.begin() + static_cast<ptrdiff_t>(from + count));
    for (double& v : y.back()) v *= factor;
  }
  return y;
}

Matrix scores(const Matrix& q, const Matrix& k) {
  Matrix p;
  for (const auto& row : q) {
    auto& out = p.emplace_back();
    for (const auto& other : k) {
      double dot = 0;
      for (size_t d = 0; d < row.size(); ++d) dot += row[d] * other[d];
      out.push_back(dot);
    }
  }
  return p;
}

void softmax(Matrix& p, double scale) {
  for (auto& row : p) {
    const double largest = *std::max_element(row.begin(), row.end()) * scale;
    double total = 0;
    for (double& v : row) total += v = std::exp(v * scale - largest);
    for (double& v : row) v /= total;
  }
}

// Changes x to what the residual sum adds.
Matrix Forward::attention(const EncoderLayer& l, Matrix& x) {
  observe(l.query.input_site, x);
  if (l.key.input_site != l.query.input_site) observe(l.key.input_site, x);
  const Matrix q = linear(l.query, x), k = linear(l.key, x), v = linear(l.value, x);
  if (l.attention_residual_rounded) x = quantized(l.query.input_site, x);
  const Attention& a = l.attention;
  const auto size = static_cast<size_t>(a.head_size);
  Matrix context(x.size());
  for (size_t h = 0; h < static_cast<size_t>(a.heads); ++h) {
    Matrix qh = columns(q, h * size, size, a.query_scale);
    Matrix kh = columns(k, h * size, size, a.key_scale);
    Matrix vh = columns(v, h * size, size, 1);
    observe(a.query_site, qh);
    observe(a.key_site, kh);
    observe(a.value_site, vh);
    Matrix p = scores(quantized(a.query_site, qh), quantized(a.key_site, kh));
    pass(a.scores_site, p);
    softmax(p, a.scale);
    observe(a.probabilities_site, p);
    p = quantized(a.probabilities_site, p);
    const Matrix used = quantized(a.value_site, vh);
    for (size_t i = 0; i < p.size(); ++i)
      for (size_t d = 0; d < size; ++d) {
        double total = 0;
        for (size_t j = 0; j < p.size(); ++j) total += p[i][j] * used[j][d];
        context[i].push_back(total);
      }
  }
  return context;
}

Matrix Forward::layer(const EncoderLayer& l, Matrix x) {
  Matrix context = attention(l, x);
  observe(l.attention_output.input_site, context);
  Matrix result = linear(l.attention_output, context);
  pass(l.attention_output.result_site, result);
  Matrix middle = sum(result, x);
  pass(l.attention_norm.input_site, middle);
  normalize(l.attention_norm, middle);
  observe(l.intermediate.input_site, middle);
  Matrix inner = linear(l.intermediate, middle);
  pass(l.intermediate.result_site, inner);
  activate(l.activation, inner);
  observe(l.output.input_site, inner);
  result = linear(l.output, inner);
  pass(l.output.result_site, result);
  if (l.output_residual_rounded) middle = quantized(l.intermediate.input_site, middle);
  Matrix out = sum(result, middle);
  pass(l.output_norm.input_site, out);
  normalize(l.output_norm, out);
  return out;
}

std::vector<double> row_of(const EmbeddingTable& t, int64_t row) {
  const auto values = doubles(t.rows);
  const auto width = static_cast<size_t>(t.rows.dim(1));
  const double scale = t.row_scales ? doubles(*t.row_scales)[static_cast<size_t>(row)] : 1.0;
  std::vector<double> out(width);
  for (size_t i = 0; i < width; ++i) out[i] = values[static_cast<size_t>(row) * width + i] * scale;
  return out;
}

// Pools all rows of a sequence.
std::vector<double> pooled(RowFunction function, const Matrix& x) {
  std::vector<double> y = x[0];
  if (function == RowFunction::first_token) return y;
  for (size_t r = 1; r < x.size(); ++r)
    for (size_t c = 0; c < y.size(); ++c)
      y[c] = function == RowFunction::max ? std::max(y[c], x[r][c]) : y[c] + x[r][c];
  if (function == RowFunction::mean)
    for (double& v : y) v /= static_cast<double>(x.size());
  return y;
}

std::vector<double> changed(RowFunction function, std::vector<double> row) {
  double sum = 0;
  for (const double v : row) sum += function == RowFunction::softmax ? std::exp(v) : v * v;
  for (double& v : row) {
    if (function == RowFunction::softmax) v = std::exp(v) / sum;
    if (function == RowFunction::sigmoid) v = 1 / (1 + std::exp(-v));
    if (function == RowFunction::normalize) v /= std::sqrt(sum);
  }
  return row;
}

Matrix applied(RowFunction function, const Matrix& x) {
  if (is_pooling(function)) return {pooled(function, x)};
  Matrix y;
  for (const auto& row : x) y.push_back(changed(function, row));
  return y;
}

std::vector<int64_t> position_rows_of(const PositionRule& rule, const std::vector<int32_t>& ids) {
  std::vector<int64_t> rows;
  int64_t counted = 0;
  for (const int32_t id : ids)
    rows.push_back(id == rule.padding_id ? rule.first - 1 : rule.first + counted++);
  return rows;
}

NaiveResult Forward::run(const std::vector<int32_t>& ids, const std::vector<int32_t>& type_ids) {
  Matrix x;
  const Embeddings& em = e_.embeddings;
  const std::vector<int64_t> positions = position_rows_of(em.position_rule, ids);
  for (size_t t = 0; t < ids.size(); ++t) {
    const Matrix parts = {row_of(em.word, ids[t]), row_of(*em.token_type, type_ids[t]),
                          row_of(em.position, positions[t])};
    x.push_back(sum({sum({parts[0]}, {parts[1]})[0]}, {parts[2]})[0]);
  }
  pass(em.norm.input_site, x);
  normalize(em.norm, x);
  for (const EncoderLayer& l : e_.layers) x = layer(l, x);
  std::vector<Matrix> stages;
  const auto rows_of = [&](const HeadRows& rows) {
    Matrix m = rows.stage < 0 ? x : stages[static_cast<size_t>(rows.stage)];
    for (const RowFunction function : rows.functions) m = applied(function, m);
    return m;
  };
  for (const HeadStage& stage : e_.head) {
    Matrix rows = rows_of(stage.input);
    observe(stage.linear.input_site, rows);
    rows = linear(stage.linear, rows);
    pass(stage.linear.result_site, rows);
    activate(stage.activation, rows);
    stages.push_back(rows);
  }
  for (const EncoderOutput& o : e_.outputs) {
    Matrix m = rows_of(o.rows);
    if (o.column) m = columns(m, static_cast<size_t>(*o.column), 1, 1);
    auto& out = result_.outputs.emplace_back();
    for (const auto& row : m) out.insert(out.end(), row.begin(), row.end());
  }
  return result_;
}

}  // namespace

NaiveResult naive_forward(const Encoder& encoder, const std::vector<int32_t>& ids,
                          const std::vector<int32_t>& type_ids, const Observed& observed) {
  return Forward(encoder, observed).run(ids, type_ids);
}

}  // namespace fp8q::test
