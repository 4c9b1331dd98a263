// A pool of worker threads that share the indices of one task at a time.
#include "sgkernels.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define PAUSE() _mm_pause()
#else
#define PAUSE() ((void)0)
#endif

enum { MAX_THREADS = 64, SPINS = 4000 };

static pthread_mutex_t owner = PTHREAD_MUTEX_INITIALIZER;  // held by the thread whose task the pool runs
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int threads = 0, started = 0;

static struct {
    sg_task task;
    void *context;
    int64_t count;
    _Atomic int64_t next;
    _Atomic int active;          // workers still inside the task
    int wanted;                  // workers that may take part
    _Atomic uint64_t generation; // one more for each task
} job;

static _Thread_local int inside = 0;
static _Thread_local int serial = 0;

static void drain(void) {
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&job.next, 1, memory_order_relaxed);
        if (i >= job.count) return;
        job.task(job.context, i);
    }
}

static void *worker(void *argument) {
    int number = (int)((uintptr_t)argument & 0xff);
    uint64_t seen = (uintptr_t)argument >> 8;  // the last task before this worker was born
    inside = 1;
    for (;;) {
        uint64_t now = seen;
        for (int i = 0; i < SPINS && now == seen; i++) {
            PAUSE();
            now = atomic_load_explicit(&job.generation, memory_order_acquire);
        }
        if (now == seen) {
            pthread_mutex_lock(&gate);
            while ((now = atomic_load_explicit(&job.generation, memory_order_acquire)) == seen)
                pthread_cond_wait(&wake, &gate);
            pthread_mutex_unlock(&gate);
        }
        seen = now;
        if (number < job.wanted) drain();
        atomic_fetch_sub_explicit(&job.active, 1, memory_order_release);
    }
    return NULL;
}

int sg_get_threads(void) {
    if (threads == 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        threads = n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
    }
    return threads;
}

void sg_set_threads(int count) {
    pthread_mutex_lock(&owner);
    threads = count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
    pthread_mutex_unlock(&owner);
}

void sg_set_serial(int value) { serial = value; }

void sg_parallel(int64_t count, sg_task task, void *context) {
    if (count <= 0) return;
    if (count == 1 || inside || serial || sg_get_threads() == 1 || pthread_mutex_trylock(&owner) != 0) {
        for (int64_t i = 0; i < count; i++) task(context, i);
        return;
    }
    int helpers = threads - 1;
    if (started < helpers) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        for (; started < helpers; started++) {
            pthread_t thread;
            uintptr_t birth = (uintptr_t)atomic_load(&job.generation) << 8 | (uintptr_t)started;
            if (pthread_create(&thread, &attributes, worker, (void *)birth) != 0) break;
        }
        pthread_attr_destroy(&attributes);
    }
    job.task = task;
    job.context = context;
    job.count = count;
    job.wanted = helpers;
    atomic_store_explicit(&job.next, 0, memory_order_relaxed);
    atomic_store_explicit(&job.active, started, memory_order_relaxed);
    pthread_mutex_lock(&gate);
    atomic_fetch_add_explicit(&job.generation, 1, memory_order_release);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&gate);
    inside = 1;
    drain();
    inside = 0;
    for (int i = 0; atomic_load_explicit(&job.active, memory_order_acquire) != 0; i++) {
        PAUSE();
        if (i > SPINS) usleep(20);
    }
    pthread_mutex_unlock(&owner);
}
