// The kernels, compiled for avx512 (16 floats a vector).
#if defined(__x86_64__)
#include <immintrin.h>
#define SG_VECTOR 16
#define SG_TABLE sg_table_avx512
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#endif
