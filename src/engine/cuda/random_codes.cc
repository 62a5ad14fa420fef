#include "engine/cuda/random_codes.h"

#include <algorithm>
#include <random>
#include <vector>

#include "numeric/types.h"

namespace fp8q::cuda {
namespace {

// The period is not a multiple of a row's length, so that rows differ.
constexpr size_t kPeriod = 1'000'003 * 2;

// Hardly one of 10^6 normal values is beyond 5 deviations, so 5 is taken as the absolute maximum.
constexpr float kDeviations = 5;

uint16_t element(OperandType type, float normal) {
  if (const auto format = format_of(type))
    return encode(*format, normal, kDeviations / info(*format).largest);
  return static_cast<uint16_t>(BFloat16Codec::encode(normal));
}

std::vector<uint8_t> random_bytes(OperandType type, size_t bytes) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<uint8_t> result(bytes);
  const auto size = static_cast<size_t>(element_size(type));
  for (size_t i = 0; i + size <= bytes; i += size) {
    const uint16_t e = element(type, normal(generator));
    for (size_t j = 0; j < size; ++j) result[i + j] = static_cast<uint8_t>(e >> (8 * j));
  }
  return result;
}

}  // namespace

void fill_with_random_codes(OperandType type, void* to, size_t bytes, Stream stream) {
  const auto period = random_bytes(type, std::min(bytes, kPeriod));
  copy_to_device(to, period.data(), period.size(), stream);
  auto* at = static_cast<std::byte*>(to);
  for (size_t done = period.size(); done < bytes;) {  // doubles what is already there
    const size_t count = std::min(done, bytes - done);
    copy_on_device(at + done, to, count, stream);
    done += count;
  }
  check(cudaStreamSynchronize(stream), "filling operands for trials");
}

}  // namespace fp8q::cuda
