// What several processes do together: one table of functions, of the built-in engine (TCP) or of a library that is opened
// at run time (MPI, NCCL), which exports `sgmse_collective_table`. The caller compares `abi` and `size` first.
// A function returns 0, or 1 where it failed; error() then has the reason, which names the rank that is to blame.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SGC_ABI 2

// Where a process stands among the others. Libraries with a launcher of their own (mpirun) take rank and count from that.
typedef struct {
    int32_t rank, count, port;
    const char *address;   // of rank 0
    double patience;       // seconds without a sign of life after which a rank is given up
    int32_t card;          // the process's GPU among those that it sees, from 0
} sgc_place;

typedef struct {
    uint32_t abi, size;
    const char *(*error)(void);
    // What stands behind the table, such as "TCP".
    const char *(*name)(void);
    int (*open)(const sgc_place *place);
    int32_t (*rank)(void);
    int32_t (*count)(void);
    // Ranks below `active` send parts[j*each ..] to rank j; from[i*each ..] is what rank i < active sent here.
    int (*exchange)(const float *parts, float *from, int64_t each, int32_t active);
    // all[i*bytes ..] is what rank i put in.
    int (*gather)(const void *mine, void *all, int64_t bytes);
    // Everybody has the bytes of rank 0. Waits as long as rank 0 lives.
    int (*broadcast)(void *bytes, int64_t count);
    void (*close)(void);
} sgc_table;

typedef const sgc_table *(*sgc_entry)(void);

// The engine that needs no library: TCP between all pairs of processes.
const sgc_table *sgc_tcp(void);

// 0 while all ranks of that engine live; otherwise its error() names the one that is lost.
int sgc_tcp_check(void);

// The parts of `from`, each of `each` floats and one after the other, are added to `sum` in their order.
void sgc_add_in_order(float *sum, const float *from, int64_t each, int32_t parts);

// A port of this machine that nobody listens on, or 0.
int32_t sgc_free_port(void);

#ifdef __cplusplus
}
#endif
