// Defines the functions of the CUDA runtime for streams, events and graphs; see sim.h.
#include <cuda_runtime_api.h>

#include <utility>
#include <vector>

#include "tests/cuda_sim/device_sim.h"

using namespace fp8q::sim;

// Streams

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return call("cudaStreamCreateWithFlags", [&](SimulatedDevice& d) {
    *stream = *d.streams.insert(new CUstream_st).first;
    ++d.counters.streams;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, 0); }

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return release("cudaStreamDestroy", [&](SimulatedDevice& d) {
    if (d.streams.erase(stream) == 0) return cudaErrorInvalidResourceHandle;
    d.drain();
    delete stream;
    --d.counters.streams;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return wait("cudaStreamSynchronize", [&](SimulatedDevice& d) {
    return d.known(stream) ? cudaSuccess : cudaErrorInvalidResourceHandle;
  });
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return call("cudaStreamQuery", [&](SimulatedDevice& d) {
    if (!d.known(stream)) return cudaErrorInvalidResourceHandle;
    return d.queue.empty() ? cudaSuccess : cudaErrorNotReady;
  });
}

// Work runs in the order of submission, so there is nothing to wait for.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t, unsigned) {
  return call("cudaStreamWaitEvent", [&](SimulatedDevice& d) {
    if (!d.known(stream)) return cudaErrorInvalidResourceHandle;
    return stream && stream->capturing ? cudaErrorNotSupported : cudaSuccess;
  });
}

// Events

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return call("cudaEventCreateWithFlags", [&](SimulatedDevice& d) {
    *event = new CUevent_st;
    ++d.counters.events;
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return release("cudaEventDestroy", [&](SimulatedDevice& d) {
    d.drain();
    delete event;
    --d.counters.events;
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return call("cudaEventRecord", [&](SimulatedDevice& d) {
    if (!d.known(stream)) return cudaErrorInvalidResourceHandle;
    const bool captured = stream && stream->capturing;
    event->recorded = !captured;  // within a capture an event only orders streams
    event->microseconds.reset();
    if (!captured) d.enqueue(stream, [event] { event->microseconds = device().clock; });
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t) {
  return wait("cudaEventSynchronize", [](SimulatedDevice&) { return cudaSuccess; });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return call("cudaEventQuery", [&](SimulatedDevice&) {
    return !event->recorded || event->microseconds ? cudaSuccess : cudaErrorNotReady;
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  return call("cudaEventElapsedTime", [&](SimulatedDevice&) {
    if (!from->recorded || !to->recorded) return cudaErrorInvalidResourceHandle;
    if (!from->microseconds || !to->microseconds) return cudaErrorNotReady;
    *milliseconds = static_cast<float>((*to->microseconds - *from->microseconds) / 1000);
    return cudaSuccess;
  });
}

// Graphs

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  return call("cudaStreamBeginCapture", [&](SimulatedDevice& d) {
    if (!stream) return cudaErrorStreamCaptureUnsupported;  // the default stream cannot capture
    if (!d.known(stream)) return cudaErrorInvalidResourceHandle;
    if (stream->capturing) return cudaErrorIllegalState;
    stream->capturing = true;
    stream->spoiled = false;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return release("cudaStreamEndCapture", [&](SimulatedDevice& d) {
    *graph = nullptr;
    if (!stream || !stream->capturing) return cudaErrorIllegalState;
    stream->capturing = false;
    std::vector<Work> work;
    work.swap(stream->captured);
    if (stream->spoiled) return cudaErrorStreamCaptureInvalidated;
    *graph = new CUgraph_st{std::move(work)};
    ++d.counters.graphs;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return call("cudaStreamIsCapturing", [&](SimulatedDevice&) {
    *status =
        stream && stream->capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  return call("cudaGraphInstantiate", [&](SimulatedDevice& d) {
    *exec = new CUgraphExec_st{graph->work};
    ++d.counters.graphs;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  return call("cudaGraphLaunch", [&](SimulatedDevice& d) {
    if (!d.known(stream)) return cudaErrorInvalidResourceHandle;
    if (stream && stream->capturing) return cudaErrorNotSupported;
    ++d.counters.graph_launches;
    d.enqueue(stream, [work = exec->work] {
      for (const Work& w : work) w();
    });
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return release("cudaGraphDestroy", [&](SimulatedDevice& d) {
    delete graph;
    --d.counters.graphs;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  return release("cudaGraphExecDestroy", [&](SimulatedDevice& d) {
    delete exec;
    --d.counters.graphs;
    return cudaSuccess;
  });
}
