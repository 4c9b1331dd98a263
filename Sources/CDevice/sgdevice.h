// What a device offers to the engine: one table of functions, in a library that is opened at run time.
//
// The library exports `sgmse_device_table`. The engine compares `abi` and `size` before it calls anything else.
// Tensors are opaque, dense, float32; maps are channels last, [B, H, W, C]. A function that makes a tensor returns NULL
// and one that returns a code returns 1 where it failed; error() then has the reason, for the calling thread.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SGD_ABI 3

typedef struct sgd_tensor sgd_tensor;
typedef struct sgd_recording sgd_recording;

// A device of this machine. Memory in bytes, 0 where it is not known.
typedef struct {
    char name[32], model[160];
    int64_t memory, free_memory;
} sgd_description;

// The window of a convolution along one axis; before, after: zeros around the input.
typedef struct {
    int64_t kernel, stride, before, after, dilation;
} sgd_window;

typedef struct {
    int64_t batch, height, width, channels, filters;
    sgd_window y, x;
} sgd_conv;

// A map, or two side by side along the channels; where `affine` ([2, B, C]: slopes, offsets) is set, as
// act(x*slope + offset). Activations are numbered as in sgkernels.h.
typedef struct {
    const sgd_tensor *part[2];
    int64_t width[2];
    const sgd_tensor *affine;
    int32_t activation;
} sgd_source;

// softmax(alpha Q K^T) V with Q [B, rows, width], K [B, length, width], V [B, length, depth].
typedef struct {
    int64_t batch, rows, length, width, depth;
    float alpha;
} sgd_attention;

// Separable up-sampling by zeros, FIR taps, down-sampling; `before` zeros lead, negative ones crop.
typedef struct {
    int64_t batch, height, width, channels, up, down, before, out_height, out_width, count;
    const float *taps;
} sgd_resampling;

// y = unary(x) with parameters a and b.
enum {
    SGD_AFFINE = 0,           // a x + b
    SGD_SIGN = 1,             // a sign(x), 0 at 0
    SGD_INVERSE_ROOT = 2,     // 1/sqrt(x + a)
    SGD_INVERSE_SQUARE = 3,   // max(0, 1/x^2 - a) b
    SGD_CLIP = 4,             // x, but no further from 0 than a
    SGD_INSIDE = 5,           // 1 where |x| <= a, else 0
};

// What a reduction adds up.
enum { SGD_SUM = 0, SGD_ABSOLUTE_SUM = 1, SGD_SQUARE_SUM = 2 };

// Amplitude laws of complex numbers: factor |z|^alpha, or factor ln(1 + |z|), with the phase kept.
enum { SGD_POWER = 0, SGD_LOG = 1 };
typedef struct {
    int32_t law;
    double alpha, factor;
} sgd_compression;

// A centred short-time transform of `batch` signals of `samples`: spectra [B, size/2 + 1, frames, 2].
typedef struct {
    int64_t batch, samples, frames, size, hop;
    const float *window;     // size
    const float *envelope;   // of the inverse: what sample i is multiplied by, 0 beyond envelope_count
    int64_t envelope_count;
} sgd_stft;

// The bands and tables of the differentiable PESQ; see PerceptualLoss. All in double precision.
typedef struct {
    int64_t batch, samples, length;                  // length: samples at 16 kHz
    int64_t from, to, taps; // resampling: phases[to][taps] from input starts[to]; to = 0 for none
    const double *phases;
    const int64_t *starts;
    const double *level_response, *emphasis_response;  // the first `length` samples of both filters' impulse responses
    const double *taper;                             // length
    double level, power_scale;
    int64_t size, hop, frames, bands;
    const double *window;                            // size
    const double *band_of_bin;                       // [bands, size/2 + 1]: scale of a bin in a band, or 0
    const double *thresholds, *exponents, *factors, *widths;  // bands
    double total_width, symmetric_weight, asymmetric_weight;
} sgd_perceptual;

// Adam's constants of one step; correction = 1 - beta^count; gradients are multiplied by `scale` first.
typedef struct {
    double rate, beta1, beta2, epsilon, correction1, correction2, decay, scale;
} sgd_adam;

// How products and convolutions are computed: in fp32, or with factors of fewer bits and sums in fp32.
enum { SGD_FP32 = 0, SGD_TF32 = 1, SGD_BF16 = 2 };

typedef struct {
    uint32_t abi, size;
    const char *(*error)(void);
    // What stands behind the table, such as "LibTorch 2.13.0".
    const char *(*version)(void);
    // Describes at most `room` devices; returns how many there are.
    int64_t (*devices)(sgd_description *list, int64_t room);
    // Chooses the device that everything else uses: "cpu", "cuda", "cuda:1".
    int (*open)(const char *device, int32_t threads);
    // Bytes in use and at most since the last reset.
    int (*memory)(int64_t *in_use, int64_t *peak, int reset);
    int (*synchronize)(void);
    // Whether the open device computes products in a precision (1 or 0); from then on it does.
    int (*has_precision)(int32_t precision);
    int (*set_precision)(int32_t precision);

    // ---- recording: operations of fixed tensors that are launched again at once (a CUDA graph)
    // Whether the open device records (1 or 0).
    int (*records)(void);
    // From now until `record_end`, what the calling thread asks for is recorded and not computed. Nothing may be
    // uploaded or read meanwhile. `beside`: a recording, or NULL, that may use the same memory between two replays of
    // this one.
    int (*record_begin)(const sgd_recording *beside);
    // NULL where something in between cannot be recorded; the tensors made since then hold nothing of use.
    sgd_recording *(*record_end)(void);
    // Computes everything again, from what the recorded tensors now hold into those that it then wrote.
    int (*replay)(sgd_recording *r);
    void (*forget)(sgd_recording *r);

    // ---- memory
    sgd_tensor *(*upload)(const float *values, int64_t count);
    int (*download)(const sgd_tensor *x, float *values, int64_t count);
    sgd_tensor *(*fill)(float value, int64_t count);
    int (*copy)(sgd_tensor *to, const sgd_tensor *from);
    // A copy of each of `count` tensors.
    int (*copies)(const sgd_tensor *const *x, int64_t count, sgd_tensor **made);
    void (*release)(sgd_tensor *x);

    // ---- convolution: out = scale (x * w + bias + residual), bias [bias_rows, F]
    sgd_tensor *(*convolve)(const sgd_conv *s, const sgd_source *x, const sgd_tensor *w, const sgd_tensor *bias,
                            int64_t bias_rows, const sgd_tensor *residual, float scale);
    sgd_tensor *(*convolve_dx)(const sgd_conv *s, const sgd_tensor *dy, const sgd_tensor *w);
    sgd_tensor *(*convolve_dw)(const sgd_conv *s, const sgd_source *x, const sgd_tensor *dy);

    // ---- normalisation and activation
    sgd_tensor *(*group_stats)(const sgd_source *x, int64_t batch, int64_t pixels, int64_t groups, float eps);
    sgd_tensor *(*norm_affine)(const sgd_tensor *stats, const sgd_tensor *gamma, const sgd_tensor *beta, int64_t batch,
                               int64_t channels, int64_t groups);
    sgd_tensor *(*source_read)(const sgd_source *x, int64_t batch, int64_t pixels);
    // d receives the gradients of x, gamma and beta.
    int (*norm_act_backward)(const sgd_source *x, const sgd_tensor *stats, const sgd_tensor *gamma,
                             const sgd_tensor *dy, int64_t batch, int64_t pixels, int64_t groups, sgd_tensor *d[3]);
    sgd_tensor *(*activate)(const sgd_tensor *x, int32_t activation);
    sgd_tensor *(*activate_backward)(const sgd_tensor *x, const sgd_tensor *dy, int32_t activation);
    // Rows times gain/(epsilon + their root mean square), and the gradient.
    sgd_tensor *(*rms_rows)(const sgd_tensor *x, int64_t rows, int64_t columns, double epsilon, double gain);
    sgd_tensor *(*rms_rows_backward)(const sgd_tensor *x, const sgd_tensor *dy, int64_t rows, int64_t columns,
                                     double epsilon, double gain);
    // Complex batch normalisation of [pixels, 2C]; weights rr, ri, ii [C], bias [2C]; d: x, rr, ri, ii, bias.
    sgd_tensor *(*complex_norm)(const sgd_tensor *x, const sgd_tensor *const weights[3], const sgd_tensor *bias,
                                int64_t pixels, int64_t channels, double eps);
    int (*complex_norm_backward)(const sgd_tensor *x, const sgd_tensor *const weights[3], const sgd_tensor *dy,
                                 int64_t pixels, int64_t channels, double eps, sgd_tensor *d[5]);

    // ---- products
    // C[b] = alpha A[b] B[b]; a, b: strides of row, column and batch.
    sgd_tensor *(*gemm)(int64_t batch, int64_t M, int64_t N, int64_t K, float alpha, const sgd_tensor *A,
                        const int64_t a[3], const sgd_tensor *B, const int64_t b[3]);
    sgd_tensor *(*transpose)(const sgd_tensor *x, int64_t batch, int64_t rows, int64_t columns);
    // Rows in place: y = softmax(x), and dx from y and dy.
    int (*softmax)(sgd_tensor *x, int64_t rows, int64_t columns);
    int (*softmax_backward)(const sgd_tensor *y, sgd_tensor *dy, int64_t rows, int64_t columns);
    sgd_tensor *(*attention)(const sgd_attention *s, const sgd_tensor *q, const sgd_tensor *k, const sgd_tensor *v);
    int (*attention_backward)(const sgd_attention *s, const sgd_tensor *q, const sgd_tensor *k, const sgd_tensor *v,
                              const sgd_tensor *dy, sgd_tensor *d[3]);

    // ---- element by element
    sgd_tensor *(*axpby)(float a, const sgd_tensor *x, float b, const sgd_tensor *y);
    int (*accumulate)(const sgd_tensor *x, sgd_tensor *y);
    sgd_tensor *(*unary)(int32_t kind, const sgd_tensor *x, float a, float b);
    sgd_tensor *(*multiply)(const sgd_tensor *x, const sgd_tensor *y);
    sgd_tensor *(*add_rows)(const sgd_tensor *x, const sgd_tensor *bias, int64_t rows, int64_t batch, int64_t pixels,
                            int64_t channels);
    // (1 + scale) x + shift with scale and shift [B, C]; shift may be NULL.
    sgd_tensor *(*modulate)(const sgd_tensor *x, const sgd_tensor *scale, const sgd_tensor *shift, int64_t batch,
                            int64_t pixels, int64_t channels);
    // Sample b by factors[b], of [B].
    sgd_tensor *(*scale_samples)(const sgd_tensor *x, const sgd_tensor *factors, int64_t batch);
    // Elements kept where the Philox word of their place reaches the threshold, times `kept`; one key for each sample.
    sgd_tensor *(*dropout)(const sgd_tensor *x, const uint64_t *keys, int64_t batch, uint32_t threshold, float kept);

    // ---- reductions
    sgd_tensor *(*channel_sums)(const sgd_tensor *x, int64_t batch, int64_t pixels, int64_t channels);
    int (*dot)(const sgd_tensor *x, const sgd_tensor *y, double *value);
    // Sums of each of `parts` equal pieces of every tensor.
    int (*sums)(int32_t kind, const sgd_tensor *const *x, int64_t count, int64_t parts, double *values);

    // ---- layout
    sgd_tensor *(*concatenate)(const sgd_tensor *const *parts, const int64_t *widths, int64_t count, int64_t pixels);
    sgd_tensor *(*slice)(const sgd_tensor *x, int64_t pixels, int64_t channels, int64_t first, int64_t count);
    // [rows, entries, width] to [rows, count, width]: entry index[i], or zeros where that is negative.
    sgd_tensor *(*select)(const sgd_tensor *x, int64_t rows, int64_t entries, int64_t width, const int64_t *index,
                          int64_t count);
    sgd_tensor *(*resample)(const sgd_resampling *s, const sgd_tensor *x);
    // Means over the windows floor(iH/n) ..< ceil((i+1)H/n); shape: batch, height, width, channels, rows, columns.
    sgd_tensor *(*pool)(const sgd_tensor *x, const int64_t shape[6]);
    sgd_tensor *(*pool_backward)(const sgd_tensor *dy, const int64_t shape[6]);

    // ---- spectra
    sgd_tensor *(*compress)(const sgd_compression *c, const sgd_tensor *z);
    sgd_tensor *(*expand)(const sgd_compression *c, const sgd_tensor *z);
    sgd_tensor *(*expand_backward)(const sgd_compression *c, const sgd_tensor *z, const sgd_tensor *dy);
    sgd_tensor *(*stft)(const sgd_stft *s, const sgd_tensor *signals);
    sgd_tensor *(*inverse_stft)(const sgd_stft *s, const sgd_tensor *spectra);
    sgd_tensor *(*inverse_stft_backward)(const sgd_stft *s, const sgd_tensor *dy);

    // ---- losses and optimisation
    // The distances of every pair, NaN for a silent one (silent[i] = 1), and their gradients [B, L] at weight 1.
    int (*perceptual)(const sgd_perceptual *p, const sgd_tensor *clean, const sgd_tensor *estimate, double *values,
                      int32_t *silent, sgd_tensor *d[2]);
    // One step of Adam on each of `count` weights in place; averages[i] may be NULL.
    int (*adam)(int64_t count, sgd_tensor *const *w, const sgd_tensor *const *g, sgd_tensor *const *m,
                sgd_tensor *const *v, sgd_tensor *const *averages, const sgd_adam *p);
} sgd_table;

typedef const sgd_table *(*sgd_entry)(void);

#ifdef __cplusplus
}
#endif
