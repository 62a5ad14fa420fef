// Measures tokens per second on one core.
//
//   bench_tokenizer TOKENIZER TASK TABLE [--benchmark_... options of Google Benchmark]
//
// TOKENIZER is a file that Tokenizer::load takes, and TABLE is a file of TASK ("sst2", "mrpc",
// ...). Items are tokens, without the special tokens around a text.
#include <benchmark/benchmark.h>

#include <iostream>

#include "tasks/task_reader.h"
#include "text/tokenizer.h"

namespace fp8q {
namespace {

size_t count_tokens(const Tokenizer& tokenizer, const Dataset& data) {
  size_t tokens = 0;
  for (const Example& example : data.examples) {
    tokens += tokenizer.tokenize(example.text).ids.size();
    if (example.pair) tokens += tokenizer.tokenize(*example.pair).ids.size();
  }
  return tokens;
}

void run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 4) {
    std::cerr << "usage: bench_tokenizer TOKENIZER TASK TABLE\n";
    return;
  }
  const std::filesystem::path path = argv[1];
  const Task& task = require_task(argv[2]);
  const std::filesystem::path table = argv[3];
  const Tokenizer tokenizer = Tokenizer::load(path);
  const Dataset data = read_task_file(task, table);
  const auto measure = [](const char* name, auto step) {
    benchmark::RegisterBenchmark(name, [step](benchmark::State& state) {
      size_t items = 0;
      for (auto _ : state) items += step();
      state.SetItemsProcessed(static_cast<int64_t>(items));
    })->Unit(benchmark::kMillisecond);
  };
  measure("load/tokenizers", [&] {
    benchmark::DoNotOptimize(Tokenizer::load(path));
    return size_t{1};
  });
  measure("read/examples", [&] { return read_task_file(task, table).examples.size(); });
  measure("tokenize/tokens", [&] { return count_tokens(tokenizer, data); });
  measure("read_and_tokenize/tokens",
          [&] { return count_tokens(tokenizer, read_task_file(task, table)); });
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace
}  // namespace fp8q

int main(int argc, char** argv) {
  try {
    fp8q::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
