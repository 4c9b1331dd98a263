// Vectors of the instruction set this file is compiled for, as the compiler's own vector types.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#define VW SG_VECTOR
#define NV 2                 // vectors across a panel
#define NR (VW * NV)         // columns of a panel
enum { CACHED_FLOATS = 4 << 20 };  // results larger than this are not in the caches when they are read
#if SG_VECTOR == 16
#define MR 9                 // rows of a register tile; more make the compiler keep vectors in memory
#else
#define MR 6
#endif

typedef float vf __attribute__((vector_size(VW * 4)));
typedef int32_t vi __attribute__((vector_size(VW * 4)));
typedef float vfu __attribute__((vector_size(VW * 4), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *p) { return *(const vfu *)p; }
INLINE void store(float *p, vf v) { *(vfu *)p = v; }
// Past the caches, for results too large to be found there again; p is aligned to a vector.
INLINE void store_past(float *p, vf v) { __builtin_nontemporal_store(v, (vf *)p); }
INLINE vf splat(float x) { return x - (vf){}; }
// The first n floats of a vector, 0 ≤ n < VW; no other memory is touched.
#if defined(__x86_64__) && SG_VECTOR == 16
INLINE vf load_some(const float *p, int64_t n) { return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p); }
INLINE void store_some(float *p, vf v, int64_t n) { _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v); }
#elif defined(__x86_64__) && SG_VECTOR == 8
static const int32_t first_lanes[2 * VW] = {-1, -1, -1, -1, -1, -1, -1, -1};
INLINE __m256i lanes(int64_t n) { return _mm256_loadu_si256((const __m256i *)(first_lanes + VW - n)); }
INLINE vf load_some(const float *p, int64_t n) { return (vf)_mm256_maskload_ps(p, lanes(n)); }
// By halves: masked stores were measured to be slower.
INLINE void store_some(float *p, vf v, int64_t n) {
    __m128 x = _mm256_castps256_ps128((__m256)v);
    if (n & 4) {
        _mm_storeu_ps(p, x);
        x = _mm256_extractf128_ps((__m256)v, 1);
        p += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)p, x);
        x = _mm_movehl_ps(x, x);
        p += 2;
    }
    if (n & 1) _mm_store_ss(p, x);
}
#else
INLINE vf load_some(const float *p, int64_t n) {
    vf v = {};
    for (int64_t i = 0; i < n; i++) v[i] = p[i];
    return v;
}
INLINE void store_some(float *p, vf v, int64_t n) { for (int64_t i = 0; i < n; i++) p[i] = v[i]; }
#endif
INLINE vf load_upto(const float *p, int64_t n) { return n >= VW ? load(p) : load_some(p, n); }
INLINE void store_upto(float *p, vf v, int64_t n) { if (n >= VW) store(p, v); else store_some(p, v, n); }
// memcpy for the few floats of a pixel, where a call would cost more than the copy.
INLINE void copy_floats(float *to, const float *from, int64_t n) {
    if (n > 4 * VW) memcpy(to, from, (size_t)n * 4);
    else for (int64_t i = 0; i < n; i += VW) store_upto(to + i, load_upto(from + i, n - i), n - i);
}
INLINE vf vmax(vf a, vf b) { return __builtin_elementwise_max(a, b); }
INLINE vf vmin(vf a, vf b) { return __builtin_elementwise_min(a, b); }
INLINE float vsum(vf v) { float s = 0; for (int i = 0; i < VW; i++) s += v[i]; return s; }
INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
INLINE int64_t up_to(int64_t a, int64_t m) { return (a + m - 1) / m * m; }

// exp(x) to about 1 ulp: x log2 e = n + f with |f| ≤ ½, and the polynomial of least relative error (2e-9) for 2^f.
INLINE vf vexp(vf x) {
    x = vmin(vmax(x, splat(-87.0f)), splat(88.0f));
    vf n = __builtin_elementwise_roundeven(x * 1.44269504f);
    vf f = (x * 1.44269504f - n) + x * 1.92596299e-8f;  // log2 e in two parts
    vf p = splat(1.535336189e-4f);
    p = p * f + 1.339887442e-3f;
    p = p * f + 9.618437358e-3f;
    p = p * f + 5.550332471e-2f;
    p = p * f + 2.402264791e-1f;
    p = p * f + 6.931472029e-1f;
    p = p * f + 1.0f;
    return (vf)((vi)p + (__builtin_convertvector(n, vi) << 23));
}
INLINE vf vsigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }
