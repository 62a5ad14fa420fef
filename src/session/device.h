// Which device runs a model.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"
#include "fp8q/common.h"

namespace fp8q {

// Error (usage): not the name of a device. Error (device): asked for by name, and not here; says
// what is missing. Called early, before a model is read.
void check_device(const std::string& device);

// The engine of that device. "auto" takes the GPU where there is one that runs this encoder, else
// the CPU; with a note if a GPU is there but has no kernels for it. `layer_ready`: of
// make_cpu_engine().
std::unique_ptr<Engine> make_encoder_engine(const Encoder& encoder,
                                            const ExecutionOptions& execution,
                                            std::vector<std::string>& notes,
                                            const std::function<void()>& layer_ready = nullptr);

}  // namespace fp8q
