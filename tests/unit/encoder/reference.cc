#include "unit/encoder/reference.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "numeric/token_scale.h"
#include "numeric/types.h"

namespace fp8q::test {
namespace {

// Holds rows of equal width.
struct Matrix {
  size_t rows = 0, columns = 0;
  std::vector<float> data;
  Matrix(size_t r, size_t c) : rows(r), columns(c), data(r * c) {}
  float& at(size_t r, size_t c) { return data[r * columns + c]; }
  float at(size_t r, size_t c) const { return data[r * columns + c]; }
};

class Runner {
 public:
  explicit Runner(const Encoder& encoder) : e_(encoder) {}

  Matrix hidden(const std::vector<int64_t>& ids, const std::vector<int64_t>& types) const {
    Matrix x = norm(embed(ids, types), e_.embeddings.norm);
    if (e_.embeddings.projection) x = linear(x, *e_.embeddings.projection);
    for (const auto& layer : e_.layers) x = run(x, layer);
    return x;
  }

  Matrix stage(const Matrix& x, const HeadStage& head) const {
    return activate(linear(x, head.linear), head.activation);
  }

 private:
  const Site& site(int i) const { return e_.sites.at(static_cast<size_t>(i)); }

  static float element(const Tensor& tensor, const std::optional<Quantization>& q, size_t i,
                       size_t channel) {
    if (!q) return tensor.to(DType::f32).data<float>()[i];
    const auto code = static_cast<uint8_t>(tensor.bytes()[i]);
    return decode(q->format, code) * q->scale.data<float>()[q->axis ? channel : 0];
  }

  // Quantizes and dequantizes an operand.
  Matrix rounded(Matrix x, int at) const {
    const auto& q = site(at).quantization;
    if (!q) return x;
    FP8Q_ASSERT(q->scale.size() == 1);
    for (size_t r = 0; r < x.rows; ++r) {
      const std::span<float> row(x.data.data() + r * x.columns, x.columns);
      for (size_t c = 0; c < q->factors.size(); ++c) row[c] *= q->factors[c];
      float scale = q->scale.data<float>()[0];
      if (q->per_token) {
        float absmax = 0;
        for (const float v : row) absmax = std::max(absmax, std::fabs(v));
        scale = token_scale(q->format, absmax);
      }
      for (float& v : row) v = decode(q->format, encode(q->format, v, scale)) * scale;
    }
    return x;
  }

  Matrix linear(const Matrix& given, const Linear& l) const {
    const Matrix x = rounded(given, l.input_site);
    const auto in = static_cast<size_t>(l.in), out = static_cast<size_t>(l.out);
    FP8Q_ASSERT(x.columns == in);
    const auto& q = site(l.weight_site).quantization;
    const Tensor weight = q ? l.weight : l.weight.to(DType::f32);
    Matrix y(x.rows, out);
    for (size_t o = 0; o < out; ++o) {
      std::vector<float> column(in);
      for (size_t i = 0; i < in; ++i)
        column[i] = element(weight, q, l.transposed ? o * in + i : i * out + o, o);
      for (size_t r = 0; r < x.rows; ++r) {
        double sum = 0;
        for (size_t i = 0; i < in; ++i) sum += double{x.at(r, i)} * column[i];
        y.at(r, o) = static_cast<float>(sum + (l.bias ? l.bias->data<float>()[o] : 0.0f));
      }
    }
    return y;
  }

  static Matrix norm(const Matrix& x, const LayerNorm& n) {
    Matrix y(x.rows, x.columns);
    for (size_t r = 0; r < x.rows; ++r) {
      double mean = 0, square = 0;
      for (size_t c = 0; c < x.columns; ++c) mean += x.at(r, c);
      mean /= static_cast<double>(x.columns);
      for (size_t c = 0; c < x.columns; ++c) square += std::pow(x.at(r, c) - mean, 2);
      const double root = std::sqrt(square / static_cast<double>(x.columns) + n.epsilon);
      for (size_t c = 0; c < x.columns; ++c)
        y.at(r, c) = static_cast<float>((x.at(r, c) - mean) / root * n.gamma.data<float>()[c] +
                                        n.beta.data<float>()[c]);
    }
    return y;
  }

  static Matrix activate(Matrix x, Activation activation) {
    for (float& v : x.data) {
      const double d = v;
      if (activation == Activation::gelu_erf)
        v = static_cast<float>(0.5 * d * (1 + std::erf(d * M_SQRT1_2)));
      if (activation == Activation::gelu_tanh)
        v = static_cast<float>(0.5 * d *
                               (1 + std::tanh(std::sqrt(2 / M_PI) * (d + 0.044715 * d * d * d))));
      if (activation == Activation::relu) v = v > 0 ? v : 0;
      if (activation == Activation::tanh) v = std::tanh(v);
    }
    return x;
  }

  static Matrix add(Matrix x, const Matrix& y) {
    for (size_t i = 0; i < x.data.size(); ++i) x.data[i] += y.data[i];
    return x;
  }

  static void look_up(Matrix& x, const EmbeddingTable& table, size_t token, int64_t row) {
    const auto at = static_cast<size_t>(row);
    const auto format = format_of(table.rows.dtype());
    for (size_t c = 0; c < x.columns; ++c) {
      const size_t i = at * x.columns + c;
      if (table.row_scales)
        x.at(token, c) += decode(*format, static_cast<uint8_t>(table.rows.bytes()[i])) *
                          table.row_scales->data<float>()[at];
      else if (table.rows.dtype() == DType::f16)
        x.at(token, c) += static_cast<float>(table.rows.data<Float16>()[i]);
      else if (table.rows.dtype() == DType::bf16)
        x.at(token, c) += static_cast<float>(table.rows.data<BFloat16>()[i]);
      else x.at(token, c) += table.rows.data<float>()[i];
    }
  }

  Matrix embed(const std::vector<int64_t>& ids, const std::vector<int64_t>& types) const {
    const Embeddings& em = e_.embeddings;
    Matrix x(ids.size(), static_cast<size_t>(em.word.rows.dim(1)));
    int64_t counted = 0;
    for (size_t t = 0; t < ids.size(); ++t) {
      look_up(x, em.word, t, ids[t]);
      const bool padding = ids[t] == em.position_rule.padding_id;
      look_up(x, em.position, t, em.position_rule.first + (padding ? -1 : counted++));
      if (em.token_type) look_up(x, *em.token_type, t, e_.token_type_input.empty() ? 0 : types[t]);
    }
    return x;
  }

  static Matrix scaled(Matrix x, float factor) {
    for (float& v : x.data) v *= factor;
    return x;
  }

  Matrix attend(const Matrix& x, const EncoderLayer& layer) const {
    const Attention& a = layer.attention;
    const Matrix q = rounded(scaled(linear(x, layer.query), a.query_scale), a.query_site);
    const Matrix k = rounded(scaled(linear(x, layer.key), a.key_scale), a.key_site);
    const Matrix v = rounded(linear(x, layer.value), a.value_site);
    const auto size = static_cast<size_t>(a.head_size);
    Matrix context(x.rows, q.columns);
    for (size_t h = 0; h < static_cast<size_t>(a.heads); ++h) {
      Matrix p(x.rows, x.rows);
      for (size_t i = 0; i < x.rows; ++i) {
        double total = 0;
        for (size_t j = 0; j < x.rows; ++j) {
          double sum = 0;
          for (size_t d = 0; d < size; ++d)
            sum += double{q.at(i, h * size + d)} * k.at(j, h * size + d);
          p.at(i, j) = static_cast<float>(std::exp(sum * a.scale));
          total += p.at(i, j);
        }
        for (size_t j = 0; j < x.rows; ++j) p.at(i, j) = static_cast<float>(p.at(i, j) / total);
      }
      p = rounded(p, a.probabilities_site);
      for (size_t i = 0; i < x.rows; ++i)
        for (size_t d = 0; d < size; ++d) {
          double sum = 0;
          for (size_t j = 0; j < x.rows; ++j) sum += double{p.at(i, j)} * v.at(j, h * size + d);
          context.at(i, h * size + d) = static_cast<float>(sum);
        }
    }
    return context;
  }

  Matrix run(const Matrix& x, const EncoderLayer& layer) const {
    const Matrix y =
        norm(add(linear(attend(x, layer), layer.attention_output), x), layer.attention_norm);
    const Matrix inner = activate(linear(y, layer.intermediate), layer.activation);
    return norm(add(linear(inner, layer.output), y), layer.output_norm);
  }

  const Encoder& e_;
};

Matrix pooled(RowFunction function, const Matrix& x) {
  Matrix y(1, x.columns);
  for (size_t c = 0; c < x.columns; ++c) {
    double sum = 0;
    float largest = x.at(0, c);
    for (size_t r = 0; r < x.rows; ++r) {
      sum += x.at(r, c);
      largest = std::max(largest, x.at(r, c));
    }
    y.at(0, c) = function == RowFunction::first_token ? x.at(0, c)
                 : function == RowFunction::max
                     ? largest
                     : static_cast<float>(sum / static_cast<double>(x.rows));
  }
  return y;
}

Matrix applied(RowFunction function, Matrix x) {
  if (is_pooling(function)) return pooled(function, x);
  for (size_t r = 0; r < x.rows; ++r) {
    const std::span<float> row(x.data.data() + r * x.columns, x.columns);
    double sum = 0;
    for (const float v : row)
      sum += function == RowFunction::softmax ? std::exp(double{v}) : double{v} * v;
    for (float& v : row) {
      if (function == RowFunction::softmax) v = static_cast<float>(std::exp(double{v}) / sum);
      if (function == RowFunction::sigmoid) v = static_cast<float>(1 / (1 + std::exp(-double{v})));
      if (function == RowFunction::normalize) v = static_cast<float>(v / std::sqrt(sum));
      if (function == RowFunction::float16) v = static_cast<float>(Float16(v));
    }
  }
  return x;
}

}  // namespace

std::map<std::string, std::vector<float>> run_description(const Encoder& encoder,
                                                          const std::vector<int64_t>& ids,
                                                          const std::vector<int64_t>& types) {
  const Runner runner(encoder);
  const Matrix hidden = runner.hidden(ids, types);
  std::vector<Matrix> stages;
  const auto rows_of = [&](const HeadRows& rows) {
    Matrix m = rows.stage < 0 ? hidden : stages.at(static_cast<size_t>(rows.stage));
    for (const RowFunction function : rows.functions) m = applied(function, m);
    return m;
  };
  for (const auto& stage : encoder.head)
    stages.push_back(runner.stage(rows_of(stage.input), stage));
  std::map<std::string, std::vector<float>> outputs;
  for (const auto& output : encoder.outputs) {
    const Matrix m = rows_of(output.rows);
    auto& values = outputs[output.name];
    if (!output.column) values = m.data;
    else
      for (size_t r = 0; r < m.rows; ++r)
        values.push_back(m.at(r, static_cast<size_t>(*output.column)));
  }
  return outputs;
}

}  // namespace fp8q::test
