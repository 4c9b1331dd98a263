// The kernels, compiled for avx2 (8 floats a vector).
#if defined(__x86_64__)
#include <immintrin.h>
#define SG_VECTOR 8
#define SG_TABLE sg_table_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#endif
