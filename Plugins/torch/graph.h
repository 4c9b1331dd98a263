// Operations that are recorded and launched again at once.
#pragma once
#include <memory>
#include <utility>

namespace sgd {
class Graph {
public:
    using Memory = std::pair<unsigned long long, unsigned long long>;
    virtual ~Graph() = default;
    // From now on, what the calling thread asks for is recorded. {0, 0} is memory of its own.
    virtual void begin(Memory memory) = 0;
    virtual void end() = 0;
    virtual void replay() = 0;
    virtual void reset() = 0;
    virtual Memory memory() = 0;
};

// A CUDA graph of the card and the stream in use; throws std::runtime_error where this torch has none.
std::unique_ptr<Graph> card_graph();
// The same on the processor, for tests; see emulation.h.
std::unique_ptr<Graph> emulated_graph();
}  // namespace sgd
