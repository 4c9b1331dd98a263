// Signs of life of the processes of a group, whatever carries them: each says at short intervals that it lives, and one that
// has not said so for too long is given up. A rank that gives another one up says whom, so that all name the same one.
#pragma once
#include <stdatomic.h>
#include <time.h>

enum { SIGNS_MOST = 256, SIGN_ALIVE = 255 };

typedef struct {
    int rank, count;
    double patience;                          // seconds of silence after which a rank is given up
    _Atomic double beat;                      // when this process last read the signs of the others
    _Atomic double last[SIGNS_MOST];          // when a rank was last heard of
    _Atomic int is_gone[SIGNS_MOST];
    _Atomic int blamed[SIGNS_MOST];           // the rank that this one gave up, plus 1
} Signs;

static inline double signs_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void signs_begin(Signs *signs, int rank, int count, double patience) {
    signs->rank = rank;
    signs->count = count;
    signs->patience = patience;
    for (int r = 0; r < count; r++) signs->last[r] = signs_now();
    signs->beat = signs_now();
}

// Seconds between two signs.
static inline double signs_interval(const Signs *signs) { return signs->patience < 30 ? signs->patience / 30 : 1; }

// Takes a byte of a rank: that it lives, or whom it gave up.
static inline void signs_hear(Signs *signs, int r, unsigned char byte) {
    signs->last[r] = signs_now();
    if (byte != SIGN_ALIVE) signs->blamed[r] = byte + 1;
}

// To be called at every interval, after the signs were read. Time in which this process itself did not run, as when a
// scheduler suspends a whole job, is nobody's silence.
static inline void signs_beat(Signs *signs) {
    const double now = signs_now(), gap = now - signs->beat;
    if (gap > 5 * signs_interval(signs)) {
        for (int r = 0; r < signs->count; r++) {
            const double later = signs->last[r] + gap;
            signs->last[r] = later < now ? later : now;
        }
    }
    signs->beat = now;
}

// The rank that is to be given up, and why; -1 where all are there.
static inline int signs_lost(Signs *signs, const char **why) {
    for (int r = 0; r < signs->count; r++) {
        const int blamed = signs->blamed[r] - 1;
        if (r == signs->rank || blamed < 0 || blamed == signs->rank || blamed >= signs->count) continue;
        *why = "was lost by another rank";
        return blamed;
    }
    for (int r = 0; r < signs->count; r++) {
        if (r == signs->rank) continue;
        *why = signs->is_gone[r] ? "has ended" : "gives no sign of life";
        if (signs->is_gone[r] || signs->beat - signs->last[r] > signs->patience) return r;
    }
    return -1;
}
