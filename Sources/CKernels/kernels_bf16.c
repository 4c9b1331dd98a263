// The kernels, compiled for avx512 with products of bfloat16s.
#if defined(__x86_64__)
#include <immintrin.h>
#define SG_VECTOR 16
#define SG_BF16
#define SG_TABLE sg_table_bf16
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512bf16,avx2,fma"))), \
                             apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#endif
