// How the kernels make up the operations of the table: grids, arguments, and the order of launches.
// Nothing here knows whether they run on a card or on the processor.
#pragma once
#include "kernels/host.h"
#include "sgdevice.h"
#include <climits>
#include <cstdint>
#include <tuple>
#include <type_traits>

namespace sgd {
using kernels::Place;
using kernels::Rows;

// Where kernels run, with memory for what one launch leaves to the next.
class Launcher {
public:
    virtual ~Launcher() = default;
    // `arguments` point to those of the kernel `name`; `body` is a call of it on the processor.
    virtual void launch(const char *name, bool meets, Place grid, void **arguments,
                        const std::function<void()> &body) = 0;
    virtual float *scratch(int64_t count) = 0;
};

// A kernel with its arguments' types; meets: whether it has barriers.
template <class... Arguments> struct Kernel {
    const char *name;
    bool meets;
    void (*body)(Arguments...);

    void operator()(Launcher &on, Place grid, std::type_identity_t<Arguments>... arguments) const {
        void *list[] = {&arguments...};
        on.launch(name, meets, grid, list, [body = body, arguments...] { body(arguments...); });
    }

    static std::vector<size_t> sizes() { return {sizeof(Arguments)...}; }
};
template <class... Arguments> Kernel(const char *, bool, void (*)(Arguments...)) -> Kernel<Arguments...>;

namespace steps {
inline const Kernel moments{"sgd_moments", true, kernels::sgd_moments};
inline const Kernel group_moments{"sgd_group_moments", true, kernels::sgd_group_moments};
inline const Kernel affine_maps{"sgd_affine", false, kernels::sgd_affine};
inline const Kernel read_rows{"sgd_read", false, kernels::sgd_read};
inline const Kernel gradient_sums{"sgd_gradient_sums", true, kernels::sgd_gradient_sums};
inline const Kernel gradient_totals{"sgd_gradient_totals", true, kernels::sgd_gradient_totals};
inline const Kernel gradient_means{"sgd_gradient_means", true, kernels::sgd_gradient_means};
inline const Kernel gradient_parameters{"sgd_gradient_parameters", false, kernels::sgd_gradient_parameters};
inline const Kernel gradient_rows{"sgd_gradient_rows", false, kernels::sgd_gradient_rows};
inline const Kernel resampled{"sgd_resample", false, kernels::sgd_resample};

inline const std::tuple all{moments, group_moments, affine_maps, read_rows, gradient_sums, gradient_totals,
                           gradient_means, gradient_parameters, gradient_rows, resampled};

// What grids and 32-bit places can hold: samples of 2^31 - 257 elements, 65,535 samples.
inline bool fits(int64_t batch, int64_t pixels, int64_t channels) {
    return batch > 0 && pixels > 0 && channels > 0 && batch <= 65535 && pixels <= INT_MAX / 2 &&
           channels <= INT_MAX / 2 && pixels * channels <= INT_MAX - 256 && batch * channels <= INT_MAX - 256;
}

inline unsigned blocks(int64_t elements, int64_t each = 256) {
    return static_cast<unsigned>((elements + each - 1) / each);
}

// Pixels whose sums one block makes: a matter of the shape, so that every card adds in the same order.
inline int slab_of(int64_t pixels) {
    int64_t slab = pixels <= 8192 ? 64 : 512;
    while ((pixels + slab - 1) / slab > 65535) slab *= 2;
    return static_cast<int>(slab);
}

inline int channels_of(const Rows &x) { return x.width + x.width2; }

inline void stats(Launcher &on, const Rows &x, int64_t batch, int64_t pixels, int64_t groups, float eps, float *found) {
    const int channels = channels_of(x), slab = slab_of(pixels);
    const unsigned slabs = blocks(pixels, slab), samples = static_cast<unsigned>(batch);
    float *parts = on.scratch(batch * slabs * channels * 2);
    moments(on, {blocks(channels, 32), slabs, samples}, x, pixels, slab, parts);
    group_moments(on, {static_cast<unsigned>(groups), samples, 1}, parts, pixels, slab, channels, eps, found);
}

inline void affine(Launcher &on, const float *found, const float *gamma, const float *beta, int64_t batch,
                   int64_t channels, int64_t groups, float *maps) {
    affine_maps(on, {blocks(batch * channels), 1, 1}, found, gamma, beta, batch, channels, groups, maps);
}

inline void read(Launcher &on, const Rows &x, const float *maps, int32_t activation, int64_t batch, int64_t pixels,
                 float *y, unsigned short *y16) {
    read_rows(on, {blocks(pixels * channels_of(x)), static_cast<unsigned>(batch), 1}, x, maps, activation, pixels, y,
              y16);
}

// d: gradients of x, gamma and beta. `maps` is null where the activation is none.
inline void backward(Launcher &on, const Rows &x, const float *maps, int32_t activation, const float *found,
                     const float *gamma, const float *dy, int64_t batch, int64_t pixels, int64_t groups,
                     float *const d[3]) {
    const int channels = channels_of(x), slab = slab_of(pixels);
    const unsigned slabs = blocks(pixels, slab), samples = static_cast<unsigned>(batch), tiles = blocks(channels, 32);
    float *parts = on.scratch(batch * slabs * channels * 2), *totals = on.scratch(batch * channels * 2);
    float *means = on.scratch(batch * groups * 2);
    gradient_sums(on, {tiles, slabs, samples}, x, maps, activation, found, dy, pixels, groups, slab, parts);
    gradient_totals(on, {tiles, samples, 1}, parts, slabs, channels, totals);
    gradient_means(on, {static_cast<unsigned>(groups), samples, 1}, totals, gamma, channels, pixels, means);
    gradient_parameters(on, {blocks(channels), 1, 1}, totals, batch, channels, d[1], d[2]);
    gradient_rows(on, {blocks(pixels * channels), 1, samples}, x, maps, activation, found, gamma, dy, means, pixels,
                  groups, d[0]);
}

inline bool fits(const sgd_resampling &s) {
    const int64_t most = INT_MAX / 4;
    return s.count >= 1 && s.count <= 8 && s.out_height >= 1 && s.out_height <= 65535 && s.out_width >= 1 &&
           s.batch >= 1 && s.batch <= 65535 && s.out_width * s.channels <= INT_MAX - 256 && s.height * s.up <= most &&
           s.width * s.up <= most && s.out_height * s.down <= most && s.out_width * s.down <= most &&
           s.before <= most && s.before >= -most;
}

inline void resample(Launcher &on, const sgd_resampling &s, const float *x, float *y) {
    kernels::Taps taps{};
    taps.count = static_cast<int>(s.count);
    for (int i = 0; i < taps.count; i++) taps.tap[i] = s.taps[i];
    resampled(on,
              {blocks(s.out_width * s.channels), static_cast<unsigned>(s.out_height), static_cast<unsigned>(s.batch)},
              x, s.height, s.width, s.channels, s.up, s.down, s.before, s.out_width, taps, y);
}
}  // namespace steps
}  // namespace sgd
