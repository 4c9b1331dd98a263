// CUDA graphs by torch's own class, declared here, so that no header of CUDA is needed to build this.
// scripts/test-cards compares the declaration with torch's header (check/graph.cpp).
#include "graph.h"
#include <dlfcn.h>
#include <stdexcept>
#include <string>

enum cudaStreamCaptureMode : unsigned;

namespace at::cuda {
// What a torch without CUDA lacks is null.
struct __attribute__((visibility("default"))) CUDAGraph {
    __attribute__((weak)) explicit CUDAGraph(bool keep_graph);
    __attribute__((weak)) ~CUDAGraph();
    __attribute__((weak)) void capture_begin(sgd::Graph::Memory pool, cudaStreamCaptureMode mode);
    __attribute__((weak)) void capture_end();
    __attribute__((weak)) void replay();
    __attribute__((weak)) void reset();
    __attribute__((weak)) sgd::Graph::Memory pool();

private:
    // Torch's members, of which there are fewer.
    alignas(64) char members[4096];
};
}  // namespace at::cuda

namespace sgd {
namespace {
using at::cuda::CUDAGraph;

class CardGraph : public Graph {
public:
    void begin(Memory memory) override {
        // Other threads may do what a recording does not take, such as reserving memory.
        constexpr auto thread_local_mode = static_cast<cudaStreamCaptureMode>(1);
        graph.capture_begin(memory, thread_local_mode);
    }
    void end() override { graph.capture_end(); }
    void replay() override { graph.replay(); }
    void reset() override { graph.reset(); }
    Memory memory() override { return graph.pool(); }

private:
    CUDAGraph graph{/*keep_graph=*/false};
};

// The addresses themselves may be taken for known by the compiler.
bool has_class() {
    for (const char *name : {"C1Eb", "D1Ev", "13capture_beginESt4pairIyyE21cudaStreamCaptureMode", "11capture_endEv",
                             "6replayEv", "5resetEv", "4poolEv"})
        if (!dlsym(RTLD_DEFAULT, (std::string("_ZN2at4cuda9CUDAGraph") + name).c_str())) return false;
    return true;
}
}  // namespace

std::unique_ptr<Graph> card_graph() {
    if (!has_class()) throw std::runtime_error("this torch has no CUDA graphs of the kind that is known");
    return std::make_unique<CardGraph>();
}
}  // namespace sgd
