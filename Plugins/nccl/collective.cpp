// The collective engine of NCCL: exchanges between the cards of several processes. Not yet measured on a GPU.
//
// The table speaks of memory of the host, as all engines do; each call goes through a buffer of the card.
#include "sgcollective.h"
#include <cstdio>
#include <cstring>
#include <cuda_runtime_api.h>
#include <nccl.h>
#include <unistd.h>

namespace {
struct {
    int rank, count, card;
    ncclComm_t comm;
    cudaStream_t stream;
    char *sent, *received;
    size_t room;
    char problem[256];
} group;

const sgc_table *meeting() { return sgc_tcp(); }
const char *error() { return group.problem; }
const char *name() { return "NCCL"; }
int32_t rank() { return group.rank; }
int32_t count() { return group.count; }

int failed(const char *text) {
    std::snprintf(group.problem, sizeof group.problem, "%s", text);
    return 1;
}
int checked(ncclResult_t code) { return code == ncclSuccess || code == ncclInProgress ? 0 : failed(ncclGetErrorString(code)); }
int checked(cudaError_t code) { return code == cudaSuccess ? 0 : failed(cudaGetErrorString(code)); }

// The thread that exchanges gradients is not the one that opened the group, and every thread has a card in use of its own.
int make_room(size_t bytes) {
    if (checked(cudaSetDevice(group.card))) return 1;
    if (bytes <= group.room) return 0;
    cudaFree(group.sent);
    cudaFree(group.received);
    group.room = 0;
    if (checked(cudaMalloc(reinterpret_cast<void **>(&group.sent), bytes))) return 1;
    if (checked(cudaMalloc(reinterpret_cast<void **>(&group.received), bytes))) return 1;
    group.room = bytes;
    return 0;
}

// Waits for the card, as long as all ranks say by TCP that they live: one that is lost would leave it waiting.
int wait_for_card() {
    for (long turn = 1;; turn++) {
        const cudaError_t state = cudaStreamQuery(group.stream);
        if (state == cudaSuccess) return 0;
        if (state != cudaErrorNotReady) return checked(state);
        ncclResult_t asynchronous;
        if (ncclCommGetAsyncError(group.comm, &asynchronous) == ncclSuccess && checked(asynchronous)) return 1;
        if (turn % 5000 == 0 && sgc_tcp_check()) {
            // What waits for the lost rank would keep the card for ever.
            ncclCommAbort(group.comm);
            group.comm = nullptr;
            return failed(meeting()->error());
        }
        usleep(100);
    }
}

// What was received. A copy to memory of the host is waited for without an end, so that it comes last.
int fetch(void *to, size_t bytes) {
    if (wait_for_card()) return 1;
    if (checked(cudaMemcpyAsync(to, group.received, bytes, cudaMemcpyDeviceToHost, group.stream))) return 1;
    return checked(cudaStreamSynchronize(group.stream));
}

int exchange(const float *parts, float *from, int64_t each, int32_t active) {
    const size_t bytes = static_cast<size_t>(each) * sizeof(float), all = bytes * static_cast<size_t>(group.count);
    if (!group.comm) return failed("the processes have lost each other");
    if (make_room(all)) return 1;
    if (group.rank < active && checked(cudaMemcpyAsync(group.sent, parts, all, cudaMemcpyHostToDevice, group.stream))) return 1;
    ncclGroupStart();
    for (int r = 0; r < group.count; r++) {
        if (group.rank < active) ncclSend(group.sent + bytes * r, bytes, ncclChar, r, group.comm, group.stream);
        if (r < active) ncclRecv(group.received + bytes * r, bytes, ncclChar, r, group.comm, group.stream);
    }
    if (checked(ncclGroupEnd())) return 1;
    return fetch(from, bytes * static_cast<size_t>(active));
}

int gather(const void *mine, void *all, int64_t bytes) {
    const size_t whole = static_cast<size_t>(bytes) * static_cast<size_t>(group.count);
    if (!group.comm) return failed("the processes have lost each other");
    if (make_room(whole)) return 1;
    if (checked(cudaMemcpyAsync(group.sent, mine, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, group.stream))) return 1;
    if (checked(ncclAllGather(group.sent, group.received, static_cast<size_t>(bytes), ncclChar, group.comm, group.stream))) return 1;
    return fetch(all, whole);
}

// Rank 0 may be busy for long between two calls; it is waited for by TCP, which knows whether it lives.
int broadcast(void *bytes, int64_t length) {
    if (meeting()->broadcast(bytes, length) == 0) return 0;
    return failed(meeting()->error());
}

int open_group(const sgc_place *place) {
    if (meeting()->open(place)) return failed(meeting()->error());
    group.rank = place->rank;
    group.count = place->count;
    group.card = place->card;
    // The usual stream, in which torch computes, neither waits for exchanges nor lets them wait.
    if (checked(cudaSetDevice(group.card)) || checked(cudaStreamCreateWithFlags(&group.stream, cudaStreamNonBlocking)))
        return 1;
    ncclUniqueId id;
    if (group.rank == 0 && checked(ncclGetUniqueId(&id))) return 1;
    if (broadcast(&id, sizeof id)) return 1;
    return checked(ncclCommInitRank(&group.comm, group.count, id, group.rank));
}

void close_group() {
    if (group.comm) ncclCommDestroy(group.comm);
    cudaFree(group.sent);
    cudaFree(group.received);
    meeting()->close();
}
}  // namespace

extern "C" __attribute__((visibility("default"))) const sgc_table *sgmse_collective_table(void) {
    static const sgc_table table = {SGC_ABI, sizeof table, error, name, open_group, rank, count, exchange, gather, broadcast, close_group};
    return &table;
}
