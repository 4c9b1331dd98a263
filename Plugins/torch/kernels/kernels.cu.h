// Kernels for maps with channels last: group normalisation with an activation, its gradients, FIR resampling.
//
// One text for three readers: NVRTC compiles it on the machine that has the card, g++ compiles it behind host.h, so
// that the same lines run without a card, and steps.h takes the signatures from it. All blocks have 256 threads.
// Statistics and sums are fp32, in an order that depends on the shape alone: the same input gives the same bits.

// Rows of channels, from one map or from two side by side.
struct Rows {
    const float *first, *second;
    int width, width2;
};

__device__ inline float value(const Rows &x, long long row, int channel) {
    return channel < x.width ? x.first[row * x.width + channel]
                             : x.second[row * x.width2 + (channel - x.width)];
}

// The activations of sgkernels.h, by number.
__device__ inline float activated(float x, int activation) {
    switch (activation) {
    case 1: return x / (1 + expf(-x));
    case 2: return x > 0 || x != x ? x : 0.0f;
    case 3: return x > 0 ? x : 0.2f * x;
    case 4: return x > 0 ? x : expm1f(x);
    case 5: return x > 0 ? x : 0.01f * x;
    default: return x;
    }
}

__device__ inline float derivative(float x, int activation) {
    switch (activation) {
    case 1: {
        const float s = 1 / (1 + expf(-x));
        return s * (1 + x * (1 - s));
    }
    case 2: return x > 0 ? 1.0f : 0.0f;
    case 3: return x > 0 ? 1.0f : 0.2f;
    case 4: return x > 0 ? 1.0f : expf(x);
    case 5: return x > 0 ? 1.0f : 0.01f;
    default: return 1.0f;
    }
}

// The upper half of a float's bits, rounded to the nearest, ties to even.
__device__ inline unsigned short to_bfloat16(float x) {
    if (x != x) return 0x7fc0;
    const unsigned bits = __float_as_uint(x);
    return (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// How many values, their mean, and the sum of the squares of their distances from it.
struct Moments {
    float count, mean, squares;
};

__device__ inline Moments joined(const Moments &a, const Moments &b) {
    const float count = a.count + b.count;
    if (count == 0) return a;
    const float apart = b.mean - a.mean, share = b.count / count;
    return Moments{count, a.mean + apart * share, a.squares + b.squares + apart * apart * a.count * share};
}

// Mean and squares of every channel over a slab of pixels, [B, slabs, C, 2].
// A block has 32 channels and 8 lanes of pixels; grid: tiles of channels, slabs, batch.
extern "C" __global__ void sgd_moments(Rows x, int pixels, int slab, float *parts) {
    __shared__ Moments found[256];
    const int channels = x.width + x.width2, lane = threadIdx.x / 32;
    const int channel = blockIdx.x * 32 + threadIdx.x % 32;
    const int begin = blockIdx.y * slab, end = pixels - begin < slab ? pixels : begin + slab;
    const long long sample = (long long)blockIdx.z * pixels;
    Moments mine = {0, 0, 0};
    if (channel < channels) {
        for (int first = begin + lane; first < end; first += 64) {
            float values[8], sum = 0, squares = 0;
            const int count = (end - first + 7) / 8 < 8 ? (end - first + 7) / 8 : 8;
            for (int k = 0; k < 8; k++) {
                values[k] = k < count ? value(x, sample + first + 8 * k, channel) : 0.0f;
                sum += values[k];
            }
            const float mean = sum / count;
            for (int k = 0; k < 8; k++) {
                const float apart = k < count ? values[k] - mean : 0.0f;
                squares += apart * apart;
            }
            mine = joined(mine, Moments{(float)count, mean, squares});
        }
    }
    found[threadIdx.x] = mine;
    for (int half = 4; half > 0; half /= 2) {
        __syncthreads();
        if (lane < half) found[threadIdx.x] = joined(found[threadIdx.x], found[threadIdx.x + 32 * half]);
    }
    if (lane == 0 && channel < channels) {
        float *to = parts + (((long long)blockIdx.z * gridDim.y + blockIdx.y) * channels + channel) * 2;
        to[0] = found[threadIdx.x].mean;
        to[1] = found[threadIdx.x].squares;
    }
}

// Mean and 1/sqrt(variance + eps) of every group, [B, groups, 2]. Grid: groups, batch.
extern "C" __global__ void sgd_group_moments(const float *parts, int pixels, int slab, int channels, float eps,
                                             float *stats) {
    __shared__ Moments found[256];
    const int width = channels / gridDim.x, slabs = (pixels + slab - 1) / slab;
    const float *sample = parts + (long long)blockIdx.y * slabs * channels * 2;
    Moments mine = {0, 0, 0};
    for (int item = threadIdx.x; item < slabs * width; item += 256) {
        const int number = item / width, channel = blockIdx.x * width + item % width;
        const float *from = sample + ((long long)number * channels + channel) * 2;
        const int count = pixels - number * slab < slab ? pixels - number * slab : slab;
        mine = joined(mine, Moments{(float)count, from[0], from[1]});
    }
    found[threadIdx.x] = mine;
    for (int half = 128; half > 0; half /= 2) {
        __syncthreads();
        if ((int)threadIdx.x < half) found[threadIdx.x] = joined(found[threadIdx.x], found[threadIdx.x + half]);
    }
    if (threadIdx.x == 0) {
        float *to = stats + ((long long)blockIdx.y * gridDim.x + blockIdx.x) * 2;
        to[0] = found[0].mean;
        to[1] = 1 / sqrtf(found[0].squares / found[0].count + eps);
    }
}

// Slopes and offsets of every channel, [2, B, C]; gamma and beta may be null. Grid: elements of [B, C].
extern "C" __global__ void sgd_affine(const float *stats, const float *gamma, const float *beta, int batch,
                                      int channels, int groups, float *affine) {
    const int place = blockIdx.x * 256 + threadIdx.x;
    if (place >= batch * channels) return;
    const int sample = place / channels, channel = place % channels;
    const float *of_group = stats + ((long long)sample * groups + channel / (channels / groups)) * 2;
    const float slope = gamma ? of_group[1] * gamma[channel] : of_group[1];
    affine[place] = slope;
    affine[(long long)batch * channels + place] = (beta ? beta[channel] : 0.0f) - of_group[0] * slope;
}

// act(x*slope + offset), [B, pixels, C], in fp32 or bfloat16, whichever is not null. Grid: elements of a sample, batch.
extern "C" __global__ void sgd_read(Rows x, const float *affine, int activation, int pixels, float *y,
                                    unsigned short *y16) {
    const int channels = x.width + x.width2;
    const unsigned place = blockIdx.x * 256u + threadIdx.x;
    if (place >= (unsigned)pixels * channels) return;
    const int pixel = place / channels, channel = place % channels;
    const float *slope = affine + (long long)blockIdx.y * channels + channel;
    const float *offset = slope + (long long)gridDim.y * channels;
    const float v = value(x, (long long)blockIdx.y * pixels + pixel, channel);
    const float result = activated(v * *slope + *offset, activation);
    const long long to = (long long)blockIdx.y * pixels * channels + place;
    if (y) y[to] = result;
    else y16[to] = to_bfloat16(result);
}

// The gradient in front of the activation; affine is null where there is none.
__device__ inline float before_activation(float dy, float x, const float *affine, int activation, int channels,
                                          int channel) {
    if (!affine) return dy;
    const float *slope = affine + (long long)blockIdx.z * channels + channel;
    return dy * derivative(x * *slope + slope[(long long)gridDim.z * channels], activation);
}

// With g the gradient in front of the activation and h = (x - mean) rate: sums of g and g h over a slab,
// [B, slabs, C, 2]. Blocks and grid as of sgd_moments.
extern "C" __global__ void sgd_gradient_sums(Rows x, const float *affine, int activation, const float *stats,
                                             const float *dy, int pixels, int groups, int slab, float *parts) {
    __shared__ float sums[256], products[256];
    const int channels = x.width + x.width2, lane = threadIdx.x / 32;
    const int channel = blockIdx.x * 32 + threadIdx.x % 32;
    const int begin = blockIdx.y * slab, end = pixels - begin < slab ? pixels : begin + slab;
    float sum = 0, product = 0;
    if (channel < channels) {
        const float *of_group = stats + ((long long)blockIdx.z * groups + channel / (channels / groups)) * 2;
        for (int pixel = begin + lane; pixel < end; pixel += 8) {
            const long long row = (long long)blockIdx.z * pixels + pixel;
            const float v = value(x, row, channel);
            const float g = before_activation(dy[row * channels + channel], v, affine, activation, channels, channel);
            sum += g;
            product += g * ((v - of_group[0]) * of_group[1]);
        }
    }
    sums[threadIdx.x] = sum;
    products[threadIdx.x] = product;
    for (int half = 4; half > 0; half /= 2) {
        __syncthreads();
        if (lane < half) {
            sums[threadIdx.x] += sums[threadIdx.x + 32 * half];
            products[threadIdx.x] += products[threadIdx.x + 32 * half];
        }
    }
    if (lane == 0 && channel < channels) {
        float *to = parts + (((long long)blockIdx.z * gridDim.y + blockIdx.y) * channels + channel) * 2;
        to[0] = sums[threadIdx.x];
        to[1] = products[threadIdx.x];
    }
}

// Those sums over all slabs, [B, C, 2]. Grid: tiles of 32 channels, batch.
extern "C" __global__ void sgd_gradient_totals(const float *parts, int slabs, int channels, float *totals) {
    __shared__ float sums[256], products[256];
    const int lane = threadIdx.x / 32, channel = blockIdx.x * 32 + threadIdx.x % 32;
    float sum = 0, product = 0;
    if (channel < channels) {
        for (int number = lane; number < slabs; number += 8) {
            const float *from = parts + (((long long)blockIdx.y * slabs + number) * channels + channel) * 2;
            sum += from[0];
            product += from[1];
        }
    }
    sums[threadIdx.x] = sum;
    products[threadIdx.x] = product;
    for (int half = 4; half > 0; half /= 2) {
        __syncthreads();
        if (lane < half) {
            sums[threadIdx.x] += sums[threadIdx.x + 32 * half];
            products[threadIdx.x] += products[threadIdx.x + 32 * half];
        }
    }
    if (lane == 0 && channel < channels) {
        float *to = totals + ((long long)blockIdx.y * channels + channel) * 2;
        to[0] = sums[threadIdx.x];
        to[1] = products[threadIdx.x];
    }
}

// Means of gamma g and gamma g h over every group, [B, groups, 2]. Grid: groups, batch.
extern "C" __global__ void sgd_gradient_means(const float *totals, const float *gamma, int channels, int pixels,
                                              float *means) {
    __shared__ float sums[256], products[256];
    const int width = channels / gridDim.x;
    float sum = 0, product = 0;
    for (int item = threadIdx.x; item < width; item += 256) {
        const int channel = blockIdx.x * width + item;
        const float *from = totals + ((long long)blockIdx.y * channels + channel) * 2;
        const float factor = gamma ? gamma[channel] : 1.0f;
        sum += factor * from[0];
        product += factor * from[1];
    }
    sums[threadIdx.x] = sum;
    products[threadIdx.x] = product;
    for (int half = 128; half > 0; half /= 2) {
        __syncthreads();
        if ((int)threadIdx.x < half) {
            sums[threadIdx.x] += sums[threadIdx.x + half];
            products[threadIdx.x] += products[threadIdx.x + half];
        }
    }
    if (threadIdx.x == 0) {
        float *to = means + ((long long)blockIdx.y * gridDim.x + blockIdx.x) * 2;
        const float count = (float)pixels * (float)width;
        to[0] = sums[0] / count;
        to[1] = products[0] / count;
    }
}

// Gradients of gamma and beta, [C] each. Grid: channels.
extern "C" __global__ void sgd_gradient_parameters(const float *totals, int batch, int channels, float *dgamma,
                                                   float *dbeta) {
    const int channel = blockIdx.x * 256 + threadIdx.x;
    if (channel >= channels) return;
    float sum = 0, product = 0;
    for (int sample = 0; sample < batch; sample++) {
        const float *from = totals + ((long long)sample * channels + channel) * 2;
        sum += from[0];
        product += from[1];
    }
    dgamma[channel] = product;
    dbeta[channel] = sum;
}

// (gamma g - mean - h mean of products) rate, [B, pixels, C]. Grid: elements of a sample, 1, batch.
extern "C" __global__ void sgd_gradient_rows(Rows x, const float *affine, int activation, const float *stats,
                                             const float *gamma, const float *dy, const float *means, int pixels,
                                             int groups, float *dx) {
    const int channels = x.width + x.width2;
    const unsigned place = blockIdx.x * 256u + threadIdx.x;
    if (place >= (unsigned)pixels * channels) return;
    const int pixel = place / channels, channel = place % channels;
    const long long row = (long long)blockIdx.z * pixels + pixel, at = row * channels + channel;
    const long long group = (long long)blockIdx.z * groups + channel / (channels / groups);
    const float v = value(x, row, channel), rate = stats[2 * group + 1], h = (v - stats[2 * group]) * rate;
    const float g = before_activation(dy[at], v, affine, activation, channels, channel);
    dx[at] = ((gamma ? g * gamma[channel] : g) - means[2 * group] - h * means[2 * group + 1]) * rate;
}

// A separable filter of at most 8 taps.
struct Taps {
    float tap[8];
    int count;
};

// Up-sampling by zeros, the filter along both axes, down-sampling, in one pass.
// Grid: elements of a row of the result, its rows, batch.
extern "C" __global__ void sgd_resample(const float *x, int height, int width, int channels, int up, int down,
                                        int before, int out_width, Taps taps, float *y) {
    const unsigned place = blockIdx.x * 256u + threadIdx.x;
    if (place >= (unsigned)out_width * channels) return;
    const int column = place / channels, channel = place % channels;
    const int top = (int)blockIdx.y * down - before, left = column * down - before;
    float sum = 0;
    for (int i = 0; i < taps.count; i++) {
        const int v = top + i;
        if (v < 0 || v >= height * up || v % up != 0) continue;
        const float *row = x + (((long long)blockIdx.z * height + v / up) * width) * channels + channel;
        float along = 0;
        for (int j = 0; j < taps.count; j++) {
            const int u = left + j;
            if (u < 0 || u >= width * up || u % up != 0) continue;
            along += taps.tap[taps.count - 1 - j] * row[(long long)(u / up) * channels];
        }
        sum += taps.tap[taps.count - 1 - i] * along;
    }
    y[(((long long)blockIdx.z * gridDim.y + blockIdx.y) * out_width) * channels + place] = sum;
}
