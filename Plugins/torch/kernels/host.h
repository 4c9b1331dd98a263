// The kernels on the processor: the words of CUDA that they use, and a run of their blocks, one after the other.
// The threads of a block take turns: each runs until it ends or meets a barrier, where it waits for all others.
#pragma once
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <ucontext.h>
#include <vector>

namespace sgd::kernels {
struct Place {
    unsigned x = 1, y = 1, z = 1;
};
inline thread_local Place threadIdx, blockIdx, gridDim;

// Calls of a block of 256 threads in turns. One block runs at a time, because what threads share is static.
class Turns {
public:
    static constexpr unsigned threads = 256;

    // `meets`: whether the kernel has barriers. `backwards`: the last thread goes first, to the same results.
    static void run(Place grid, bool meets, bool backwards, const std::function<void()> &body) {
        static std::mutex alone;
        const std::lock_guard<std::mutex> lock(alone);
        gridDim = grid;
        Turns turns(body);
        for (unsigned z = 0; z < grid.z; z++)
            for (unsigned y = 0; y < grid.y; y++)
                for (unsigned x = 0; x < grid.x; x++) {
                    blockIdx = {x, y, z};
                    if (meets) turns.together(backwards);
                    else for (unsigned t = 0; t < threads; t++) {
                        threadIdx = {t, 0, 0};
                        body();
                    }
                }
    }

    static void barrier() {
        if (!current) throw std::logic_error("a barrier in a kernel that was said to have none");
        swapcontext(&current->fibers[threadIdx.x], &current->home);
    }

private:
    explicit Turns(const std::function<void()> &body) : body(body) {}

    static void begin() {
        current->body();
        current->ended[threadIdx.x] = true;
        swapcontext(&current->fibers[threadIdx.x], &current->home);
    }

    void together(bool backwards) {
        static constexpr size_t room = 64 << 10;
        if (!stacks) stacks.reset(new char[room * threads]);
        current = this;
        for (unsigned t = 0; t < threads; t++) {
            ended[t] = false;
            getcontext(&fibers[t]);
            fibers[t].uc_stack.ss_sp = stacks.get() + room * t;
            fibers[t].uc_stack.ss_size = room;
            fibers[t].uc_link = nullptr;
            makecontext(&fibers[t], begin, 0);
        }
        unsigned left = threads;
        while (left == threads) {
            left = 0;
            for (unsigned i = 0; i < threads; i++) {
                const unsigned t = backwards ? threads - 1 - i : i;
                threadIdx = {t, 0, 0};
                swapcontext(&home, &fibers[t]);
                if (!ended[t]) left++;
            }
        }
        current = nullptr;
        if (left != 0) throw std::logic_error("a barrier that not all threads of a block meet");
    }

    static inline thread_local Turns *current = nullptr;
    const std::function<void()> &body;
    ucontext_t home, fibers[threads];
    bool ended[threads];
    std::unique_ptr<char[]> stacks;
};

inline void __syncthreads() { Turns::barrier(); }
inline unsigned __float_as_uint(float x) {
    unsigned bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

#define __global__ inline
#define __device__
#define __shared__ static
#include "kernels.cu.h"
#undef __global__
#undef __device__
#undef __shared__
}  // namespace sgd::kernels
