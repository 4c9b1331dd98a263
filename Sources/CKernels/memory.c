// Buffers by lifetime: a freed buffer waits, sorted by size, for the next request of about its size.
#include "sgkernels.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, CLASSES = 512, FREE_TO_IDLE = 32 << 20, FREE_TO_HOLD = 512 << 20 };

typedef struct Free { struct Free *next; } Free;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Free *lists[CLASSES];
static int64_t in_use, peak, idle, limit;

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

// Sizes are rounded to eight steps per octave, so that at most an eighth is lost.
static int64_t rounded(int64_t bytes, int *class_index) {
    if (bytes < 4096) bytes = 4096;
    int octave = 63 - __builtin_clzll((uint64_t)bytes);
    int64_t step = (int64_t)1 << (octave - 3);
    int64_t size = (bytes + step - 1) & ~(step - 1);
    octave = 63 - __builtin_clzll((uint64_t)size);
    *class_index = octave * 8 + (int)((size >> (octave - 3)) & 7);
    return size;
}

static int64_t class_size(int class_index) { return (int64_t)(8 + (class_index & 7)) << (class_index / 8 - 3); }

// Large blocks are mapped by themselves, on a boundary of huge pages, so that giving one back frees its memory.
static void *obtain(int64_t size) {
    if (size < HUGE_PAGE) {
        void *p = NULL;
        return posix_memalign(&p, 64, (size_t)size) == 0 ? p : NULL;
    }
    char *p = mmap(NULL, (size_t)(size + HUGE_PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    size_t head = (size_t)(-(uintptr_t)p & (HUGE_PAGE - 1));
    if (head) munmap(p, head);
    munmap(p + head + size, (size_t)HUGE_PAGE - head);
    madvise(p + head, (size_t)size, MADV_HUGEPAGE);
    return p + head;
}

static void give_back(void *p, int64_t size) {
    if (size < HUGE_PAGE) free(p);
    else munmap(p, (size_t)size);
}

// Gives back idle blocks, the largest first, until at most `bytes` are idle. The lock is held.
static void trim_to(int64_t bytes) {
    for (int c = CLASSES - 1; c >= 0 && idle > bytes; c--) {
        int64_t size = class_size(c);
        while (lists[c] && idle > bytes) {
            Free *block = lists[c];
            lists[c] = block->next;
            idle -= size;
            give_back(block, size);
        }
    }
}

void sg_no_memory(int64_t bytes) {
    fprintf(stderr, "error: no memory for %lld MB more; use fewer frames, smaller batches, or backbone.recompute\n",
            (long long)(bytes >> 20));
    _Exit(1);
}

void sg_end(const char *message) {
    fprintf(stderr, "error: %s\n", message);
    _Exit(1);
}

void sg_set_memory_limit(int64_t bytes) { limit = bytes; }

float *sg_alloc(int64_t floats) {
    int class_index;
    int64_t size = rounded(floats * 4, &class_index);
    pthread_mutex_lock(&lock);
    Free *block = lists[class_index];
    if (block) {
        lists[class_index] = block->next;
        idle -= size;
    }
    in_use += size;
    if (in_use > peak) peak = in_use;
    int is_beyond = limit && in_use > limit;
    // Blocks of other sizes may wait: all of a small network, of a large one a sixteenth of the most that was ever in
    // use.
    if (!block) trim_to(most(FREE_TO_IDLE, most(FREE_TO_HOLD, peak + peak / 16) - in_use));
    pthread_mutex_unlock(&lock);
    // The system would promise memory that it does not have, and end some process or other later.
    if (is_beyond) sg_no_memory(size);
    if (!block) {
        block = obtain(size);
        if (!block) {
            sg_trim();
            block = obtain(size);
            if (!block) sg_no_memory(size);
        }
    }
    return (float *)block;
}

void sg_free(float *pointer, int64_t floats) {
    int class_index;
    int64_t size = rounded(floats * 4, &class_index);
    Free *block = (Free *)pointer;
    pthread_mutex_lock(&lock);
    block->next = lists[class_index];
    lists[class_index] = block;
    in_use -= size;
    idle += size;
    pthread_mutex_unlock(&lock);
}

void sg_trim(void) {
    pthread_mutex_lock(&lock);
    trim_to(0);
    pthread_mutex_unlock(&lock);
}

int64_t sg_bytes_in_use(void) { return in_use; }
int64_t sg_peak_bytes(void) { return peak; }
void sg_reset_peak_bytes(void) {
    pthread_mutex_lock(&lock);
    peak = in_use;
    pthread_mutex_unlock(&lock);
}
