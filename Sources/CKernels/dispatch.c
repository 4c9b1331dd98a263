// Chooses the table for the processor, once, and forwards the public names to it.
#include "dispatch.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

// Tests choose another instruction set for their own thread; the workers run tasks of the table that was asked.
static _Thread_local int level = -1;
static int best_level, process_level = -1;
static _Thread_local int precision = -1;
static int process_precision = SG_FP32, has_bf16;
static const sg_table *tables[4];
#define table tables[sg_table_number()]

int sg_best_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("fma"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
    return 0;
}

__attribute__((constructor)) static void choose(void) {
    best_level = sg_best_level();
    tables[0] = &sg_table_base;
#if defined(__x86_64__)
    tables[1] = &sg_table_avx2;
    tables[2] = &sg_table_avx512;
    tables[3] = &sg_table_bf16;
    has_bf16 = best_level == 2 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw");
#endif
}

int sg_has_precision(int wanted) {
    return wanted == SG_FP32 || (wanted == SG_BF16_PRODUCTS && has_bf16 && sg_level() == 2);
}
int sg_precision(void) { return precision >= 0 ? precision : process_precision; }
void sg_set_process_precision(int wanted) { process_precision = wanted; }
void sg_set_precision(int wanted) { precision = wanted; }
int sg_table_number(void) {
    return sg_precision() == SG_BF16_PRODUCTS && sg_has_precision(SG_BF16_PRODUCTS) ? 3 : sg_level();
}

int sg_level(void) { return level >= 0 ? level : process_level >= 0 ? process_level : best_level; }

void sg_set_process_level(int wanted) { process_level = wanted > best_level ? best_level : wanted; }

int sg_set_level(int wanted) {
    level = wanted > best_level ? best_level : wanted;
    return sg_level();
}

// ---- scratch -------------------------------------------------------------------------------------
enum { SLOTS = 8 };
typedef struct { float *pointer[SLOTS]; int64_t count[SLOTS]; } Scratch;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void release(void *p) {
    Scratch *s = p;
    for (int i = 0; i < SLOTS; i++) free(s->pointer[i]);
    free(s);
}
static void make_key(void) { pthread_key_create(&key, release); }

float *sg_scratch(int slot, int64_t floats) {
    pthread_once(&once, make_key);
    Scratch *s = pthread_getspecific(key);
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s) sg_no_memory((int64_t)sizeof *s);
        pthread_setspecific(key, s);
    }
    if (s->count[slot] < floats) {
        free(s->pointer[slot]);
        void *p = NULL;
        if (posix_memalign(&p, floats > 262144 ? 2 << 20 : 64, (size_t)floats * 4) != 0) sg_no_memory(floats * 4);
        if (floats > 262144) madvise(p, (size_t)floats * 4, MADV_HUGEPAGE);
        s->pointer[slot] = p;
        s->count[slot] = floats;
    }
    return s->pointer[slot];
}

// ---- forwarding ----------------------------------------------------------------------------------
// Three taps that keep the size.
static int is_same_3(const sg_window *w) {
    return w->kernel == 3 && w->stride == 1 && w->dilation == 1 && w->before == 1 && w->after == 1;
}

int sg_conv_choose(const sg_conv_shape *s, int algorithm) {
    if (algorithm != SG_CONV_AUTO) return algorithm;
    if (is_same_3(&s->y) && is_same_3(&s->x)) {
        // Whatever the batch is: each sample's result has the same bits in all of them.
        int64_t pixels = s->height * s->width;
        if (s->channels >= 8 && s->filters >= 4 && pixels >= 256) return SG_CONV_WINOGRAD;
        if (s->width >= 32) return SG_CONV_DIRECT;
    }
    return SG_CONV_IM2COL;
}

int64_t sg_conv_packed_count(const sg_conv_shape *s, int a) { return table->conv_packed_count(s, a); }
void sg_conv_pack(const sg_conv_shape *s, int a, const float *w, int t, float *p) { table->conv_pack(s, a, w, t, p); }
void sg_conv_forward(const sg_conv_shape *s, int a, const sg_source *x, const float *p, const float *b, int64_t bs,
                     const float *r, float f, float *o) { table->conv_forward(s, a, x, p, b, bs, r, f, o); }
void sg_conv_weight_gradient(const sg_conv_shape *s, int a, const sg_source *x, const float *dy, float *dw) {
    table->conv_weight_gradient(s, a, x, dy, dw);
}
void sg_conv_input_gradient_im2col(const sg_conv_shape *s, const float *w, const float *dy, float *dx) {
    table->conv_input_gradient_im2col(s, w, dy, dx);
}
void sg_gemm(int64_t b, int64_t M, int64_t N, int64_t K, float alpha, const float *A, int64_t ra, int64_t ca,
             int64_t sa, const float *B, int64_t rb, int64_t cb, int64_t sb, float *C, int64_t ld, int64_t sc,
             int acc) {
    table->gemm(b, M, N, K, alpha, A, ra, ca, sa, B, rb, cb, sb, C, ld, sc, acc);
}
void sg_source_read(const sg_source *x, int64_t b, int64_t p, float *y) { table->source_read(x, b, p, y); }
void sg_group_stats(const sg_source *x, int64_t b, int64_t p, int64_t g, float e, float *s) {
    table->group_stats(x, b, p, g, e, s);
}
void sg_norm_affine(const float *s, const float *ga, const float *be, int64_t b, int64_t c, int64_t g, float *slope,
                    float *offset) {
    table->norm_affine(s, ga, be, b, c, g, slope, offset);
}
void sg_norm_act_backward(const sg_source *x, const float *s, const float *ga, const float *dy, int64_t b, int64_t p,
                          int64_t g, float *dx, float *dga, float *dbe) {
    table->norm_act_backward(x, s, ga, dy, b, p, g, dx, dga, dbe);
}
void sg_activation(int a, const float *x, float *y, int64_t n) { table->activation(a, x, y, n); }
void sg_activation_backward(int a, const float *x, const float *dy, float *dx, int64_t n) {
    table->activation_backward(a, x, dy, dx, n);
}
void sg_upfirdn(const float *x, int64_t b, int64_t h, int64_t w, int64_t c, const float *t, int64_t n, int up, int down,
                int64_t p0, int64_t p1, float *y, int64_t oh, int64_t ow) {
    table->upfirdn(x, b, h, w, c, t, n, up, down, p0, p1, y, oh, ow);
}
void sg_axpby(float a, const float *x, float b, const float *y, float *z, int64_t n) { table->axpby(a, x, b, y, z, n); }
void sg_scale(float a, const float *x, float b, float *z, int64_t n) { table->scale(a, x, b, z, n); }
void sg_mul(const float *x, const float *y, float *z, int64_t n) { table->mul(x, y, z, n); }
void sg_add_rows(const float *x, const float *r, int64_t rows, int64_t b, int64_t p, int64_t c, float *y) {
    table->add_rows(x, r, rows, b, p, c, y);
}
void sg_scale_samples(const float *x, const float *f, int64_t b, int64_t n, float *y) {
    table->scale_samples(x, f, b, n, y);
}
void sg_channel_sums(const float *x, int64_t b, int64_t p, int64_t c, float *s) { table->channel_sums(x, b, p, c, s); }
double sg_sum(const float *x, int64_t n) { return table->sum(x, n); }
double sg_dot(const float *x, const float *y, int64_t n) { return table->dot(x, y, n); }
void sg_copy_channels(const float *x, int64_t p, int64_t fc, int64_t fo, float *y, int64_t tc, int64_t to, int64_t c,
                      int acc) {
    table->copy_channels(x, p, fc, fo, y, tc, to, c, acc);
}
void sg_softmax(const float *x, int64_t r, int64_t c, float *y) { table->softmax(x, r, c, y); }
void sg_softmax_backward(const float *y, const float *dy, int64_t r, int64_t c, float *dx) {
    table->softmax_backward(y, dy, r, c, dx);
}
void sg_rms_rows(const float *x, int64_t r, int64_t c, float e, float g, float *y) {
    table->rms_rows(x, r, c, e, g, y);
}
void sg_rms_rows_backward(const float *x, const float *dy, int64_t r, int64_t c, float e, float g, float *dx) {
    table->rms_rows_backward(x, dy, r, c, e, g, dx);
}
float sg_largest(const float *x, int64_t n) { return table->largest(x, n); }
void sg_adam(float *w, const float *g, float *m, float *v, float *a, int64_t n, double rate, double b1, double b2,
             double e, double c1, double c2, double d) {
    table->adam(w, g, m, v, a, n, rate, b1, b2, e, c1, c2, d);
}
void sg_normals(uint64_t key, float deviation, float *out, int64_t n) { table->normals(key, deviation, out, n); }

void sg_transpose(const float *x, int64_t rows, int64_t columns, float *y) {
    for (int64_t i0 = 0; i0 < rows; i0 += 16)
        for (int64_t j0 = 0; j0 < columns; j0 += 16)
            for (int64_t i = i0; i < rows && i < i0 + 16; i++)
                for (int64_t j = j0; j < columns && j < j0 + 16; j++) y[j * rows + i] = x[i * columns + j];
}
