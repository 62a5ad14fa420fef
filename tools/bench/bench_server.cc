// Holds models open in the CPU engine and measures one of them whenever a line asks for it, so that
// scripts/bench_peers.py can let fp8q take its turn among other runtimes without starting it anew.
//
//   bench_server THREADS MODEL...
//
// Prints "ready" when the models are open, and then answers lines of standard input:
//
//   run MODEL BATCH LENGTH SECONDS
//     runs BATCH random sequences of LENGTH tokens once without counting, then for at least SECONDS
//     and 3 times (10000 times at most), in the model at this place on the command line (from 0).
//     Prints the median in milliseconds and the number of runs.
//   quit
//     ends, as the end of the input and any other line do.
#include <deque>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "session/bundle.h"
#include "session/make_engine.h"
#include "study/bench_encoder.h"
#include "study/bench_timing.h"

namespace fp8q {
namespace {

struct Served {
  Bundle bundle;
  std::unique_ptr<Engine> engine;
};

void open(const std::string& path, std::deque<Served>& models) {
  Served& model = models.emplace_back(Served{open_model(fs::path(path)), nullptr});
  if (!model.bundle.encoder)
    fail(ErrorCode::unsupported, "{}: is not recognized as an encoder: {}", printable(path),
         model.bundle.not_encoder_reason);
  std::vector<std::string> notes;
  model.engine = make_engine(model.bundle, {.device = "cpu"}, notes);
}

struct Turn {
  int64_t model = 0, batch = 0, length = 0;
  double seconds = 0;
};

Turn parse(const std::string& line, const std::deque<Served>& models) {
  std::istringstream words(line);
  std::string command;
  Turn turn;
  words >> command >> turn.model >> turn.batch >> turn.length >> turn.seconds;
  constexpr int64_t kMostSequences = 4096;  // as in `fp8q bench`
  const auto within = [](int64_t value, int64_t least, int64_t most) {
    return value >= least && value <= most;
  };
  if (!words || !(words >> std::ws).eof() || command != "run" ||
      !within(turn.model, 0, std::ssize(models) - 1) || !within(turn.batch, 1, kMostSequences))
    fail(ErrorCode::usage, "expected: run MODEL BATCH LENGTH SECONDS; got: {}", printable(line));
  const int64_t most = models[static_cast<size_t>(turn.model)].bundle.encoder->max_positions;
  if (!within(turn.length, 1, most))
    fail(ErrorCode::usage, "length {}: must be from 1 to {}", turn.length, most);
  return turn;
}

void answer(const Turn& turn, const Served& model) {
  const PackedBatch batch =
      random_batch({.sequences = static_cast<size_t>(turn.batch),
                    .length = static_cast<size_t>(turn.length),
                    .vocabulary = model.bundle.encoder->embeddings.word.rows.dim(0),
                    .excluded = excluded_ids(*model.bundle.encoder)});
  Engine* const engine = model.engine.get();
  const auto runs = time_runs({&engine, 1}, batch, {.min_time = turn.seconds}).front();
  std::cout << 1e3 * quantile(runs, 0.5) << ' ' << runs.size() << std::endl;
}

void serve(int threads, const std::vector<std::string>& paths) {
  set_threads(threads);
  std::deque<Served> models;
  for (const std::string& path : paths) open(path, models);
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    const Turn turn = parse(line, models);
    answer(turn, models[static_cast<size_t>(turn.model)]);
  }
}

}  // namespace
}  // namespace fp8q

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: bench_server THREADS MODEL...\n";
    return 2;
  }
  try {
    fp8q::serve(std::stoi(argv[1]), {argv + 2, argv + argc});
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
