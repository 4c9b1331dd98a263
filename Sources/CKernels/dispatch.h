// The table of kernels that exist once per instruction set.
#pragma once
#include "sgkernels.h"

typedef struct {
    int panel;  // columns of a packed panel of B
    void (*gemm)(int64_t, int64_t, int64_t, int64_t, float, const float *, int64_t, int64_t, int64_t,
                 const float *, int64_t, int64_t, int64_t, float *, int64_t, int64_t, int);
    int64_t (*conv_packed_count)(const sg_conv_shape *, int);
    void (*conv_pack)(const sg_conv_shape *, int, const float *, int, float *);
    void (*conv_forward)(const sg_conv_shape *, int, const sg_source *, const float *, const float *, int64_t,
                         const float *, float, float *);
    void (*conv_weight_gradient)(const sg_conv_shape *, int, const sg_source *, const float *, float *);
    void (*conv_input_gradient_im2col)(const sg_conv_shape *, const float *, const float *, float *);
    void (*source_read)(const sg_source *, int64_t, int64_t, float *);
    void (*group_stats)(const sg_source *, int64_t, int64_t, int64_t, float, float *);
    void (*norm_affine)(const float *, const float *, const float *, int64_t, int64_t, int64_t, float *, float *);
    void (*norm_act_backward)(const sg_source *, const float *, const float *, const float *, int64_t, int64_t, int64_t,
                              float *, float *, float *);
    void (*activation)(int, const float *, float *, int64_t);
    void (*activation_backward)(int, const float *, const float *, float *, int64_t);
    void (*upfirdn)(const float *, int64_t, int64_t, int64_t, int64_t, const float *, int64_t, int, int, int64_t,
                    int64_t, float *, int64_t, int64_t);
    void (*axpby)(float, const float *, float, const float *, float *, int64_t);
    void (*scale)(float, const float *, float, float *, int64_t);
    void (*mul)(const float *, const float *, float *, int64_t);
    void (*add_rows)(const float *, const float *, int64_t, int64_t, int64_t, int64_t, float *);
    void (*scale_samples)(const float *, const float *, int64_t, int64_t, float *);
    void (*channel_sums)(const float *, int64_t, int64_t, int64_t, float *);
    double (*sum)(const float *, int64_t);
    double (*dot)(const float *, const float *, int64_t);
    void (*copy_channels)(const float *, int64_t, int64_t, int64_t, float *, int64_t, int64_t, int64_t, int);
    void (*softmax)(const float *, int64_t, int64_t, float *);
    void (*softmax_backward)(const float *, const float *, int64_t, int64_t, float *);
    void (*rms_rows)(const float *, int64_t, int64_t, float, float, float *);
    void (*rms_rows_backward)(const float *, const float *, int64_t, int64_t, float, float, float *);
    float (*largest)(const float *, int64_t);
    void (*adam)(float *, const float *, float *, float *, float *, int64_t, double, double, double, double,
                 double, double, double);
    void (*normals)(uint64_t, float, float *, int64_t);
} sg_table;

extern const sg_table sg_table_base;
#if defined(__x86_64__)
extern const sg_table sg_table_avx2, sg_table_avx512, sg_table_bf16;
#endif

// Scratch of the calling thread: slot 0..7, grown as needed, 64-byte aligned.
float *sg_scratch(int slot, int64_t floats);
