// The vector kernels of the engine. Tensors are dense float32, channels last: [B, H, W, C].
// Every function splits its own work over the worker threads; results do not depend on their number.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- workers -------------------------------------------------------------------------------------
typedef void (*sg_task)(void *context, int64_t index);
void sg_set_threads(int count);
int sg_get_threads(void);
// Lowers the priority (nice value, 0 to 19) of the calling thread and of all that it starts, for good. 0, or -1 on
// failure.
int sg_yield(int level);
// Runs task(context, 0..<count), each once; the caller takes part. Inside a task, or while another thread
// uses the workers, it runs in place.
void sg_parallel(int64_t count, sg_task task, void *context);
// While set, kernels called from this thread run on this thread alone.
void sg_set_serial(int serial);

// ---- memory --------------------------------------------------------------------------------------
float *sg_alloc(int64_t floats);
void sg_free(float *pointer, int64_t floats);
void sg_trim(void);
int64_t sg_bytes_in_use(void);
int64_t sg_peak_bytes(void);
void sg_reset_peak_bytes(void);
// Ends the program with a message where live buffers would take more; 0 for no limit.
void sg_set_memory_limit(int64_t bytes);
_Noreturn void sg_no_memory(int64_t bytes);
// Ends the program with a message: a device has failed in the middle of an operation.
_Noreturn void sg_end(const char *message);

// ---- processor -----------------------------------------------------------------------------------
// 0 baseline, 1 AVX2+FMA, 2 AVX-512; the best there is, unless a thread chose a lower one (-1 for the best).
int sg_best_level(void);
int sg_level(void);
int sg_set_level(int level);
// The same for all threads of the process that chose none.
void sg_set_process_level(int level);

// How products are computed: of numbers, or of bfloat16s with sums in fp32 where the processor has them.
enum { SG_FP32 = 0, SG_BF16_PRODUCTS = 1 };
// Whether the processor has it, with the instructions in force.
int sg_has_precision(int precision);
int sg_precision(void);
void sg_set_process_precision(int precision);
// For the calling thread; -1 for that of the process.
void sg_set_precision(int precision);
// The kernels in force: one number for each instruction set and precision.
int sg_table_number(void);

// ---- shapes --------------------------------------------------------------------------------------
// The window of a convolution along one axis.
typedef struct {
    int64_t kernel, stride, before, after, dilation;  // before, after: zeros around the input
} sg_window;

typedef struct {
    int64_t batch, height, width, channels;  // input
    int64_t filters;
    sg_window y, x;
} sg_conv_shape;

// What an operation reads: a map, or two side by side along the channels; if `slope` is set, as act(x*slope + offset).
typedef struct {
    const float *part[2];
    int64_t width[2];              // channels of each; 0 for a second one that is not there
    const float *slope, *offset;   // [B, C], or NULL
    int activation;
} sg_source;

// y, [B, pixels, C], as the source says.
void sg_source_read(const sg_source *x, int64_t batch, int64_t pixels, float *y);

enum { SG_CONV_AUTO = 0, SG_CONV_WINOGRAD = 1, SG_CONV_DIRECT = 2, SG_CONV_IM2COL = 3 };
enum { SG_IDENTITY = 0, SG_SILU = 1, SG_RELU = 2, SG_LEAKY = 3, SG_ELU = 4, SG_LEAKY_01 = 5 };

int sg_conv_choose(const sg_conv_shape *s, int algorithm);
// Floats of the packed filter for an algorithm.
int64_t sg_conv_packed_count(const sg_conv_shape *s, int algorithm);
// weight is [filters, channels, ky, kx]. With transposed != 0 the packed filter is that of the gradient with
// respect to the input of a convolution whose weight is [channels, filters, ky, kx].
void sg_conv_pack(const sg_conv_shape *s, int algorithm, const float *weight, int transposed, float *packed);
// out = scale * (x * w + bias + residual); bias is [filters] or, with bias_stride = filters, [B, filters].
void sg_conv_forward(const sg_conv_shape *s, int algorithm, const sg_source *x, const float *packed,
                     const float *bias, int64_t bias_stride, const float *residual, float scale, float *out);
// dweight [filters, channels, ky, kx] is overwritten.
void sg_conv_weight_gradient(const sg_conv_shape *s, int algorithm, const sg_source *x, const float *dy,
                             float *dweight);
// Gradient with respect to the input for any stride, through columns. dx is overwritten.
void sg_conv_input_gradient_im2col(const sg_conv_shape *s, const float *weight, const float *dy, float *dx);

// ---- matrix product ------------------------------------------------------------------------------
// C[b] (M×N, leading dimension ldc) = alpha * A[b] B[b] + (accumulate ? C[b] : 0); element (i, j) of A lies at i*rsa +
// j*csa.
void sg_gemm(int64_t batch, int64_t M, int64_t N, int64_t K, float alpha,
             const float *A, int64_t rsa, int64_t csa, int64_t stride_a,
             const float *B, int64_t rsb, int64_t csb, int64_t stride_b,
             float *C, int64_t ldc, int64_t stride_c, int accumulate);

// ---- normalisation and activation ----------------------------------------------------------------
// stats receives mean and 1/sqrt(var + eps) per sample and group: [B, G, 2].
void sg_group_stats(const sg_source *x, int64_t batch, int64_t pixels, int64_t groups, float eps, float *stats);
// The affine map of every channel, [B, C], that normalises with these statistics.
void sg_norm_affine(const float *stats, const float *gamma, const float *beta, int64_t batch, int64_t channels,
                    int64_t groups, float *slope, float *offset);
// The gradient of act(x*slope + offset) with that map, through the statistics too.
void sg_norm_act_backward(const sg_source *x, const float *stats, const float *gamma, const float *dy, int64_t batch,
                          int64_t pixels, int64_t groups, float *dx, float *dgamma, float *dbeta);
void sg_activation(int activation, const float *x, float *y, int64_t count);
void sg_activation_backward(int activation, const float *x, const float *dy, float *dx, int64_t count);

// ---- resampling ----------------------------------------------------------------------------------
// Separable up-sampling by `up`, FIR, down-sampling by `down` along height and width, zero padded by
// (pad0, pad1); taps are applied as a convolution.
void sg_upfirdn(const float *x, int64_t batch, int64_t height, int64_t width, int64_t channels,
                const float *taps, int64_t count, int up, int down, int64_t pad0, int64_t pad1,
                float *y, int64_t out_height, int64_t out_width);

// ---- elementwise and reductions ------------------------------------------------------------------
void sg_axpby(float a, const float *x, float b, const float *y, float *z, int64_t count);  // z = a x + b y
void sg_scale(float a, const float *x, float b, float *z, int64_t count);                   // z = a x + b
void sg_mul(const float *x, const float *y, float *z, int64_t count);
void sg_add_rows(const float *x, const float *bias, int64_t bias_rows, int64_t batch, int64_t pixels, int64_t channels,
                 float *y);
void sg_scale_samples(const float *x, const float *factors, int64_t batch, int64_t count, float *y);
void sg_channel_sums(const float *x, int64_t batch, int64_t pixels, int64_t channels, float *sums);  // [B, C]
double sg_sum(const float *x, int64_t count);
double sg_dot(const float *x, const float *y, int64_t count);
void sg_copy_channels(const float *x, int64_t pixels, int64_t from_channels, int64_t from_offset,
                      float *y, int64_t to_channels, int64_t to_offset, int64_t channels, int accumulate);
void sg_softmax(const float *x, int64_t rows, int64_t columns, float *y);
void sg_softmax_backward(const float *y, const float *dy, int64_t rows, int64_t columns, float *dx);
void sg_transpose(const float *x, int64_t rows, int64_t columns, float *y);

// ---- magnitudes ----------------------------------------------------------------------------------
// y = gain x / (epsilon + the row's root mean square), and its gradient.
void sg_rms_rows(const float *x, int64_t rows, int64_t columns, float epsilon, float gain, float *y);
void sg_rms_rows_backward(const float *x, const float *dy, int64_t rows, int64_t columns, float epsilon, float gain,
                          float *dx);
float sg_largest(const float *x, int64_t count);  // the largest |x|

// ---- random numbers ------------------------------------------------------------------------------
// The first `count` normal numbers of the Philox stream of a key, times `deviation`: four from each block of counters.
void sg_normals(uint64_t key, float deviation, float *out, int64_t count);

// ---- optimisation --------------------------------------------------------------------------------
// Adam without weight decay (m, v in place), followed by the moving average average += (1 - decay)(w - average).
void sg_adam(float *w, const float *g, float *m, float *v, float *average, int64_t count, double rate,
             double beta1, double beta2, double epsilon, double correction1, double correction2, double decay);

#ifdef __cplusplus
}
#endif
