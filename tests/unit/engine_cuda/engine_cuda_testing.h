// Holds what the tests of the GPU engine's host side share.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/cuda/algorithm_choice.h"
#include "engine/cuda/matmul.h"
#include "numeric/types.h"
#include "tests/cuda_sim/cublaslt_sim.h"
#include "tests/support/errors.h"

namespace fp8q::cuda {

using test::raised_by;

inline DeviceInfo h100() { return *find_device().device; }

inline double value_of(OperandType type, uint16_t element) {
  const auto format = format_of(type);
  return static_cast<double>(format ? decode(*format, static_cast<uint8_t>(element))
                                    : BFloat16Codec::decode(element));
}

// Holds a product of random elements in device memory.
class RandomProduct {
 public:
  explicit RandomProduct(const MatmulShape& shape)
      : shape_(shape),
        weights_(random(shape.weights, shape.n * shape.k, 1)),
        x_(random(shape.x, shape.tokens * shape.k, 2)) {
    upload(shape.weights, weights_, device_weights_);
    upload(shape.x, x_, device_x_);
    device_sums_.grow(sum_bytes(), "sums");
  }

  MatmulOperands operands() const {
    return {device_weights_.data(), device_x_.data(), device_sums_.data()};
  }

  TrialOperands trial(Stream stream) {
    return {device_weights_.data(), device_x_.data(), device_sums_.data(), stream};
  }

  // Returns the sums that run() left.
  std::vector<double> sums() const {
    std::vector<std::byte> bytes(sum_bytes());
    copy_to_host(bytes.data(), device_sums_.data(), bytes.size(), nullptr);
    std::vector<double> result(count());
    for (size_t i = 0; i < count(); ++i) result[i] = sum_at(bytes.data(), i);
    return result;
  }
  std::vector<double> exact() const {
    std::vector<double> result(count(), 0.0);
    const auto n = static_cast<size_t>(shape_.n), k = static_cast<size_t>(shape_.k);
    for (size_t i = 0; i < count(); ++i)
      for (size_t j = 0; j < k; ++j)
        result[i] += value_of(shape_.x, x_[i / n * k + j]) *
                     value_of(shape_.weights, weights_[i % n * k + j]);
    return result;
  }

 private:
  static std::vector<uint16_t> random(OperandType type, int64_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> value(-3, 3);
    std::vector<uint16_t> elements(static_cast<size_t>(count));
    for (auto& e : elements) {
      const float v = value(generator);
      const auto format = format_of(type);
      if (format) e = encode(*format, v, info(*format).integer ? 0.025f : 1);
      else e = static_cast<uint16_t>(BFloat16Codec::encode(v));
    }
    return elements;
  }

  static void upload(OperandType type, const std::vector<uint16_t>& elements,
                     DeviceBuffer<std::byte>& to) {
    const auto size = static_cast<size_t>(element_size(type));
    std::vector<std::byte> bytes(elements.size() * size);
    for (size_t i = 0; i < elements.size(); ++i)
      std::memcpy(&bytes[i * size], &elements[i], size);  // little endian
    copy_to_device(to.grow(bytes.size(), "operand"), bytes.data(), bytes.size(), nullptr);
  }

  size_t count() const { return static_cast<size_t>(shape_.tokens * shape_.n); }
  size_t sum_bytes() const { return count() * (shape_.sums == SumType::bf16 ? 2 : 4); }
  double sum_at(const std::byte* bytes, size_t i) const {
    switch (shape_.sums) {
      case SumType::bf16:
        return static_cast<double>(static_cast<float>(reinterpret_cast<const BFloat16*>(bytes)[i]));
      case SumType::f32:
        return static_cast<double>(reinterpret_cast<const float*>(bytes)[i]);
      case SumType::i32:
        return reinterpret_cast<const int32_t*>(bytes)[i];
    }
    return 0;
  }

  MatmulShape shape_;
  std::vector<uint16_t> weights_, x_;  // elements, [n][k] and [tokens][k]
  DeviceBuffer<std::byte> device_weights_, device_x_, device_sums_;
};

}  // namespace fp8q::cuda
