// Buffers by lifetime: a freed buffer waits, sorted by size, for the next request of about its size.
#include "sgkernels.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, CLASSES = 512 };

typedef struct Free { struct Free *next; } Free;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Free *lists[CLASSES];
static int64_t in_use, peak, idle;

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
    pthread_mutex_unlock(&lock);
    if (!block) {
        void *p = NULL;
        int64_t alignment = size >= HUGE_PAGE ? HUGE_PAGE : 64;
        if (posix_memalign(&p, (size_t)alignment, (size_t)size) != 0) {
            sg_trim();
            if (posix_memalign(&p, (size_t)alignment, (size_t)size) != 0) abort();
        }
        if (size >= HUGE_PAGE) madvise(p, (size_t)size, MADV_HUGEPAGE);
        block = p;
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
    for (int c = 0; c < CLASSES; c++) {
        while (lists[c]) {
            Free *block = lists[c];
            lists[c] = block->next;
            free(block);
        }
    }
    idle = 0;
    pthread_mutex_unlock(&lock);
}

int64_t sg_bytes_in_use(void) { return in_use; }
int64_t sg_peak_bytes(void) { return peak; }
void sg_reset_peak_bytes(void) {
    pthread_mutex_lock(&lock);
    peak = in_use;
    pthread_mutex_unlock(&lock);
}
