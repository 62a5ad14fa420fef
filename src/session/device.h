// Chooses the device that runs a model.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"
#include "fp8q/common.h"
#include "session/engine_memory.h"

namespace fp8q {

// Throws an Error (usage) if the text is not the name of a device. Throws an Error (device) that
// says what is missing if a named device is not available. It is called early, before a model is
// read.
void check_device(const std::string& device);

// Says what an engine is made for.
struct EngineUse {
  std::string model = "the model";  // for messages
  Workload workload = {};
  std::function<void()> layer_ready = nullptr;  // CpuEngineSettings::layer_ready
};

// Makes the engine of the requested device. "auto" uses the GPU if there is one that runs this
// encoder, or else the CPU. It adds a note if there is a GPU but it cannot run the encoder. Throws
// an Error (limit) if an engine on the CPU does not fit into memory (session/engine_memory.h).
std::unique_ptr<Engine> make_encoder_engine(const Encoder& encoder,
                                            const ExecutionOptions& execution,
                                            std::vector<std::string>& notes,
                                            const EngineUse& use = {});

// Returns whether the CPU was asked for, or nothing else is there.
bool runs_on_cpu(const ExecutionOptions& execution);

// Returns the type that products which are not quantized have on the CPU.
ComputeType compute_type(const ExecutionOptions& execution);

}  // namespace fp8q
