// Defines the types that the functions of the public API share.
//
// Every function takes an options struct and returns a result struct. It prints nothing and reports
// failure as fp8q::Error. Notes are remarks that a user should see (a fallback taken, data chosen
// for them), one sentence each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fp8q/error.h"

namespace fp8q {

namespace fs = std::filesystem;

std::string_view version();

// Reports the progress of a long step. It is called from the calling thread only. `total` may be 0
// while it is unknown.
using ProgressCallback = std::function<void(std::string_view step, size_t done, size_t total)>;

// Says where the parts of a model are. `model` is an ONNX file, or a folder that holds model.onnx
// or onnx/model.onnx, config.json and the tokenizer's files. The other members, files or folders,
// override the files beside the model and one folder up.
struct ModelLocation {
  fs::path model;
  std::optional<fs::path> tokenizer;
  std::optional<fs::path> config;
};

enum class Compute {
  automatic,  // quantized products run in their format, all others in FP32
  fp32,       // the same as `automatic`, requested explicitly
  bf16,       // products that are not quantized run in BF16 with FP32 sums
};

// GELU(x) = x/2 (1 + erf(x / sqrt 2)). Its approximation by tanh (Hendrycks and Gimpel, arXiv
// 1606.08415) is x/2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), and differs by at most 4.8e-4.
enum class Gelu {
  of_model,  // the form that the model uses
  tanh,      // the approximation, whatever form the model uses
};

struct ExecutionOptions {
  std::string device = "auto";  // "auto", "cpu", "cuda", "cuda:1"
  bool reference = false;       // run through the reference interpreter
  Compute compute = Compute::automatic;
  Gelu gelu = Gelu::of_model;
  size_t tokens_at_a_time = 0;  // on a GPU; 0: chosen from its cache and multiprocessors
  size_t batch = 32;            // examples per run, at least 1; no result depends on it
};

// Tells of a file or, for a model, of the ONNX file together with its external data. Statistics and
// converted models are bound to a model by this hash (onnx/model_files.h defines it).
struct FileFacts {
  fs::path path;
  std::string sha256;
  uint64_t bytes = 0;
};

// Names the files that a call reads and those that it writes. Files that it finds by itself are
// included, whether they are there or not; empty paths stand for no file.
struct CallFiles {
  std::vector<fs::path> inputs, outputs;
};

// Throws an Error (usage) if an output is an input, or if two outputs are one file, however the
// paths are spelled and whatever links they lead through. Calls check their own files.
void check_files(const CallFiles& files);

struct DataFacts {
  fs::path path;  // empty for the built-in sample and for random data
  std::string sha256;
  bool builtin = false;
  bool random = false;
};

struct ExecutionFacts {
  std::string device;       // "cpu", "cuda", "interpreter"
  std::string description;  // engine and instruction set, in one line
  int threads = 0;
  double elapsed_s = 0;         // time of the whole call
  uint64_t peak_rss_bytes = 0;  // peak of the process so far, mapped files included
  uint64_t planned_bytes = 0;   // largest plan so far of the memory that the process allocates
};

struct KernelFacts {
  std::string path;  // path of the Site
  std::string requested;
  std::string effective;
};

}  // namespace fp8q
