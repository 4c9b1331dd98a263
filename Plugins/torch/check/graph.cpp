// Torch's CUDAGraph as its own header declares it: what card_graph.cpp declares must be the same. Compiled, never run.
#include <ATen/cuda/CUDAGraph.h>
#include <type_traits>

using at::cuda::CUDAGraph;
using Memory = std::pair<unsigned long long, unsigned long long>;
static_assert(sizeof(CUDAGraph) <= 4096 && alignof(CUDAGraph) <= 64);
static_assert(!std::is_polymorphic_v<CUDAGraph> && std::is_constructible_v<CUDAGraph, bool>);
static_assert(sizeof(cudaStreamCaptureMode) == sizeof(unsigned) && cudaStreamCaptureModeThreadLocal == 1);
static_assert(std::is_same_v<decltype(&CUDAGraph::capture_begin), void (CUDAGraph::*)(Memory, cudaStreamCaptureMode)>);
static_assert(std::is_same_v<decltype(&CUDAGraph::capture_end), void (CUDAGraph::*)()>);
static_assert(std::is_same_v<decltype(&CUDAGraph::replay), void (CUDAGraph::*)()>);
static_assert(std::is_same_v<decltype(&CUDAGraph::reset), void (CUDAGraph::*)()>);
static_assert(std::is_same_v<decltype(&CUDAGraph::pool), Memory (CUDAGraph::*)()>);
