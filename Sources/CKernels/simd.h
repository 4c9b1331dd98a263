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
#define MR 12                // rows of a register tile
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
INLINE vf load_some(const float *p, int64_t n) {
    vf v = {};
    for (int64_t i = 0; i < n; i++) v[i] = p[i];
    return v;
}
INLINE void store_some(float *p, vf v, int64_t n) { for (int64_t i = 0; i < n; i++) p[i] = v[i]; }
INLINE vf load_upto(const float *p, int64_t n) { return n >= VW ? load(p) : load_some(p, n); }
INLINE void store_upto(float *p, vf v, int64_t n) { if (n >= VW) store(p, v); else store_some(p, v, n); }
INLINE vf vmax(vf a, vf b) { return __builtin_elementwise_max(a, b); }
INLINE vf vmin(vf a, vf b) { return __builtin_elementwise_min(a, b); }
INLINE float vsum(vf v) { float s = 0; for (int i = 0; i < VW; i++) s += v[i]; return s; }
INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
INLINE int64_t up_to(int64_t a, int64_t m) { return (a + m - 1) / m * m; }

// exp(x) to about 1 ulp: x = n ln 2 + r, |r| ≤ ln 2 / 2, and a polynomial in r.
INLINE vf vexp(vf x) {
    x = vmin(vmax(x, splat(-87.3f)), splat(88.3f));
    vf n = __builtin_elementwise_roundeven(x * 1.44269504f);
    vf r = x - n * 0.693359375f + n * 2.12194440e-4f;
    vf p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    vi e = (__builtin_convertvector(n, vi) + 127) << 23;
    return p * (vf)e;
}
INLINE vf vsigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }
