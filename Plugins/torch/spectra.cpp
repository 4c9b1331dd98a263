// The front end: short-time transforms, and the compression of amplitudes.
#include "common.h"

namespace sgd {
namespace {
// s(r) of compression, or of its inverse for u = z / factor: what a complex number of magnitude r is multiplied by.
Tensor compressing(const sgd_compression *c, const Tensor &square) {
    if (c->law == SGD_POWER) return square.pow((c->alpha - 1) / 2) * c->factor;
    const auto r = square.sqrt();
    return at::log1p(r) / r * c->factor;
}
Tensor expanding(const sgd_compression *c, const Tensor &r) {
    return c->law == SGD_POWER ? r.pow(1 / c->alpha - 1) : at::expm1(r) / r;
}
// s'(r)/r of the inverse.
Tensor expanding_slope(const sgd_compression *c, const Tensor &r) {
    if (c->law == SGD_POWER) return r.pow(1 / c->alpha - 3) * (1 / c->alpha - 1);
    const auto e = at::expm1(r);
    return ((e + 1) * r - e) / (r * r * r);
}
Tensor squares_of_bins(const Tensor &pairs) { return pairs.square().sum(axes({1}), true); }

sgd_tensor *compress(const sgd_compression *c, const sgd_tensor *z) {
    return made([&] {
        const auto pairs = z->t.view({-1, 2}), square = squares_of_bins(pairs);
        return pairs * compressing(c, square).masked_fill_(square.le(0), 0);
    });
}
sgd_tensor *expand(const sgd_compression *c, const sgd_tensor *z) {
    return made([&] {
        const auto u = z->t.view({-1, 2}) * (1 / c->factor), r = squares_of_bins(u).sqrt();
        return u * expanding(c, r).masked_fill_(r.le(0), 0);
    });
}
// (s g + s'/r u <u, g>) / factor.
sgd_tensor *expand_backward(const sgd_compression *c, const sgd_tensor *z, const sgd_tensor *dy) {
    return made([&] {
        const auto u = z->t.view({-1, 2}) * (1 / c->factor), g = dy->t.view({-1, 2}), r = squares_of_bins(u).sqrt();
        const auto zero = r.le(0);
        const auto along = expanding_slope(c, r).masked_fill_(zero, 0) * (u * g).sum(axes({1}), true);
        return (g * expanding(c, r).masked_fill_(zero, 0) + u * along) * (1 / c->factor);
    });
}

Tensor window(const sgd_stft *s) { return constant(s->window, s->size); }
int64_t bins(const sgd_stft *s) { return s->size / 2 + 1; }
// Samples that the frames cover, half a window before the first sample included.
int64_t covered(const sgd_stft *s) { return s->size + s->hop * (s->frames - 1); }

sgd_tensor *stft(const sgd_stft *s, const sgd_tensor *signals) {
    return made([&] {
        const int64_t half = s->size / 2, behind = std::max<int64_t>(0, covered(s) - half - s->samples);
        const auto mirrored =
            at::reflection_pad1d(signals->t.view({s->batch, 1, s->samples}), {half, behind}).view({s->batch, -1});
        const auto frames = mirrored.unfold(1, s->size, s->hop).narrow(1, 0, s->frames) * window(s);
        return at::view_as_real(at::fft_rfft(frames)).permute({0, 2, 1, 3});
    });
}
sgd_tensor *inverse_stft(const sgd_stft *s, const sgd_tensor *spectra) {
    return made([&] {
        auto parts = spectra->t.view({s->batch, bins(s), s->frames, 2})
                         .permute({0, 2, 1, 3})
                         .clone(at::MemoryFormat::Contiguous);
        // The imaginary parts of the ends do not count.
        parts.select(2, 0).select(2, 1).zero_();
        if (s->size % 2 == 0) parts.select(2, bins(s) - 1).select(2, 1).zero_();
        const auto frames = at::fft_irfft(at::view_as_complex(parts), s->size) * window(s);
        const auto sums =
            at::col2im(frames.transpose(1, 2).contiguous(), {1, covered(s)}, {1, s->size}, {1, 1}, {0, 0}, {1, s->hop});
        const int64_t reach = std::min({s->samples, s->envelope_count, covered(s) - s->size / 2});
        auto y = at::zeros({s->batch, s->samples}, floats());
        const auto envelope = brought(s->envelope, {s->envelope_count}, at::kFloat, at::kFloat).narrow(0, 0, reach);
        y.narrow(1, 0, reach).copy_(sums.view({s->batch, -1}).narrow(1, s->size / 2, reach) * envelope);
        return y;
    });
}
// dL/dZ_k = c_k/N FFT(w dL/dframe)_k with c 1 at the ends of the spectrum and 2 between.
sgd_tensor *inverse_stft_backward(const sgd_stft *s, const sgd_tensor *dy) {
    return made([&] {
        const int64_t reach = std::min({s->samples, s->envelope_count, covered(s) - s->size / 2});
        auto g = at::zeros({s->batch, covered(s)}, floats());
        const auto envelope = brought(s->envelope, {s->envelope_count}, at::kFloat, at::kFloat).narrow(0, 0, reach);
        g.narrow(1, s->size / 2, reach).copy_(dy->t.view({s->batch, s->samples}).narrow(1, 0, reach) * envelope);
        auto parts = at::view_as_real(at::fft_rfft(g.unfold(1, s->size, s->hop) * window(s))) *
                     (2.0 / static_cast<double>(s->size));
        const auto close = [&](int64_t bin) {
            parts.select(2, bin).select(2, 0).mul_(0.5);
            parts.select(2, bin).select(2, 1).zero_();
        };
        close(0);
        if (s->size % 2 == 0) close(bins(s) - 1);
        return parts.permute({0, 2, 1, 3});
    });
}
}  // namespace

void add_spectra(sgd_table *t) {
    t->compress = compress;
    t->expand = expand;
    t->expand_backward = expand_backward;
    t->stft = stft;
    t->inverse_stft = inverse_stft;
    t->inverse_stft_backward = inverse_stft_backward;
}
}  // namespace sgd
