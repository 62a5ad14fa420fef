#include "engine/cuda/observation.h"

#include <algorithm>

namespace fp8q::cuda {

Observation::Observation(const PackedBatch& batch, const MicroBatch& micro, int64_t heads,
                         const SiteObserver& observer, const StreamHandle& stream)
    : batch_(batch),
      micro_(micro),
      heads_(static_cast<size_t>(heads)),
      observer_(observer),
      stream_(stream) {}

// Returns the index of the first token within the micro-batch.
size_t Observation::first_token(size_t sequence) const {
  return static_cast<size_t>(batch_.offsets[micro_.first + sequence] - micro_.first_token);
}
size_t Observation::tokens(size_t sequence) const {
  const size_t s = micro_.first + sequence;
  return static_cast<size_t>(batch_.offsets[s + 1] - batch_.offsets[s]);
}

void Observation::see(const Seen& seen) {
  values_.resize(static_cast<size_t>(seen.count));
  copy_to_host(values_.data(), seen.values, values_.size() * sizeof(float), stream_.get());
  stream_.synchronize("observing activations");
  for (const int site : seen.sites) show(site, seen);
}

void Observation::show(int site, const Seen& seen) {
  const auto columns = static_cast<size_t>(seen.columns);
  const auto show_rows = [&](size_t rows) {
    observer_(site, {values_.data(), rows * columns}, seen.columns);
  };
  switch (seen.rows) {
    case Seen::Rows::tokens:
      return show_rows(static_cast<size_t>(micro_.tokens));
    case Seen::Rows::sequences:
      return show_rows(micro_.sequences);
    case Seen::Rows::first_tokens:
      return show_first_tokens(site, columns);
    case Seen::Rows::heads:
      return show_heads(site, columns);
    case Seen::Rows::probabilities:
      return show_probabilities(site);
  }
}

void Observation::show_first_tokens(int site, size_t columns) {
  gathered_.resize(micro_.sequences * columns);
  for (size_t s = 0; s < micro_.sequences; ++s)
    std::copy_n(&values_[first_token(s) * columns], columns, &gathered_[s * columns]);
  observer_(site, gathered_, static_cast<int64_t>(columns));
}

void Observation::show_heads(int site, size_t head_size) {
  const size_t hidden = heads_ * head_size;
  for (size_t s = 0; s < micro_.sequences; ++s) {
    const size_t n = tokens(s), first = first_token(s);
    gathered_.resize(n * hidden);
    for (size_t h = 0; h < heads_; ++h)
      for (size_t t = 0; t < n; ++t)
        std::copy_n(&values_[(first + t) * hidden + h * head_size], head_size,
                    &gathered_[(h * n + t) * head_size]);
    observer_(site, gathered_, static_cast<int64_t>(head_size));
  }
}

void Observation::show_probabilities(int site) {
  size_t at = 0;
  for (size_t s = 0; s < micro_.sequences; ++s) {
    const size_t n = tokens(s);
    observer_(site, {&values_[at], heads_ * n * n}, static_cast<int64_t>(n));
    at += heads_ * n * n;
  }
}

}  // namespace fp8q::cuda
