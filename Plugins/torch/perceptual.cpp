// The differentiable PESQ over batches, in double precision; its equations stand in Sources/Objectives.
#include "common.h"
#include <cfloat>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace sgd {
namespace {
Tensor table(const double *values, at::IntArrayRef shape) { return brought(values, shape, at::kDouble, at::kDouble); }

// A recursive filter from rest, as the product of spectra with its impulse response; exact over `length` samples.
Tensor filtered(const Tensor &x, const double *response, int64_t length) {
    const int64_t n = 2 * length;
    return at::fft_irfft(at::fft_rfft(x, n) * at::fft_rfft(table(response, {length}), n), n).narrow(1, 0, length);
}

// Conversion to 16 kHz: output n reads from input n/to*from + starts[n mod to] on.
Tensor resampled(const sgd_perceptual *p, const Tensor &x) {
    if (p->to == 0) return x;
    const int64_t before = std::max<int64_t>(0, -*std::min_element(p->starts, p->starts + p->to));
    const int64_t after = *std::max_element(p->starts, p->starts + p->to) + p->taps;
    const int64_t periods = (p->length + p->to - 1) / p->to;
    const auto padded =
        at::constant_pad_nd(x, {before, std::max<int64_t>(0, (periods - 1) * p->from + after - p->samples)});
    const auto phases = table(p->phases, {p->to, p->taps});
    std::vector<Tensor> outputs;
    for (int64_t phase = 0; phase < p->to; phase++) {
        const auto begins = padded.narrow(1, before + p->starts[phase], (periods - 1) * p->from + p->taps);
        outputs.push_back(begins.unfold(1, p->taps, p->from).matmul(phases[phase]));
    }
    return at::stack(outputs, 2).view({p->batch, -1}).narrow(1, 0, p->length);
}

struct Powers {
    Tensor bands;   // [B, F, bands]
    Tensor silent;  // [B]
};

Powers powers(const sgd_perceptual *p, const Tensor &waveforms) {
    const auto x = resampled(p, waveforms);
    const auto power = filtered(x, p->level_response, p->length).square().sum(axes({1})) * p->power_scale;
    const auto silent = power.lt(DBL_MIN);
    const auto gain = (p->level / at::where(silent, at::ones_like(power), power)).sqrt();
    const auto tapered = x * gain.unsqueeze(1) * table(p->taper, {p->length});
    const auto emphasized = filtered(tapered, p->emphasis_response, p->length);
    const int64_t missing = (p->frames - 1) * p->hop + p->size - p->length;
    const auto signal = missing > 0 ? at::constant_pad_nd(emphasized, {0, missing}) : emphasized;
    const auto frames = signal.unfold(1, p->size, p->hop).narrow(1, 0, p->frames) * table(p->window, {p->size});
    const auto square = at::view_as_real(at::fft_rfft(frames)).square().sum(axes({3}));
    return {square.matmul(table(p->band_of_bin, {p->bands, p->size / 2 + 1}).t()), silent};
}

// Sixth powers within 20 frames, squares over such spans, which begin every 10.
Tensor pooled(const Tensor &frames) {
    const auto spans = frames.unfold(1, 20, 10);
    const auto peak = std::get<0>(spans.max(2, true)).detach();
    const auto ratio = (spans / peak).square();
    const auto value = peak.squeeze(2) * (ratio * ratio * ratio).mean(axes({2})).pow(1.0 / 6);
    return value.square().mean(axes({1})).sqrt();
}

Tensor distances(const sgd_perceptual *p, const Tensor &R, const Tensor &D) {
    const auto thresholds = table(p->thresholds, {p->bands}), exponents = table(p->exponents, {p->bands});
    const auto factors = table(p->factors, {p->bands}), widths = table(p->widths, {p->bands});
    const auto above = [&](const Tensor &x, double factor) {
        return at::where(x > thresholds * factor, x, at::zeros_like(x));
    };

    // The clean powers take on the estimate's mean spectrum, the estimate the clean level.
    const auto speaks = above(R, 100).sum(axes({2}), true).ge(1e7);
    const auto mean = [&](const Tensor &x) {
        return at::where(speaks, above(x, 100), at::zeros_like(x)).mean(axes({1}), true);
    };
    const auto E = R * ((mean(D) + 1000) / (mean(R) + 1000)).clamp(0.01, 100);
    const auto audible = above(E, 1).sum(axes({2}));
    const auto ratio = (audible + 5e3) / (above(D, 1).sum(axes({2})) + 5e3);
    const auto later = ratio.narrow(1, 1, p->frames - 1) * 0.8 + ratio.narrow(1, 0, p->frames - 1) * 0.2;
    const auto G = D * at::cat({ratio.narrow(1, 0, 1), later}, 1).clamp(3e-4, 5).unsqueeze(2);

    const auto loudness = [&](const Tensor &x) {
        return at::where(x > thresholds, factors * ((x / thresholds * 0.5 + 0.5).pow(exponents) - 1),
                         at::zeros_like(x));
    };
    const auto e = loudness(E), g = loudness(G);
    const auto beyond =
        at::where(g > e * 1.25, g - e * 1.25, at::where(e > g * 1.25, g * 1.25 - e, at::zeros_like(e))) * widths;
    const auto steep = ((G + 50) / (E + 50)).pow(1.2);
    const auto asymmetry = at::where(steep < 3, at::zeros_like(steep), steep.clamp_max(12));
    const auto weight = ((audible + 1e5) / 1e7).pow(0.04);
    const auto square = beyond.square().sum(axes({2})) * p->total_width,
               sum = (beyond.abs() * asymmetry).sum(axes({2}));
    // Where nothing differs, the root has no slope.
    const auto least = at::full_like(square, 1e-20);
    const auto symmetric =
        at::where(square > 1e-40, at::where(square > 1e-40, square, at::ones_like(square)).sqrt(), least);
    const auto asymmetric = at::where(sum > 1e-20, sum, least);
    const auto limited = [&](const Tensor &raw) {
        const auto value = raw / weight;
        return at::where(value < 45, value, at::full_like(value, 45));
    };
    return pooled(limited(symmetric)) * p->symmetric_weight + pooled(limited(asymmetric)) * p->asymmetric_weight;
}

int perceptual(const sgd_perceptual *p, const sgd_tensor *clean, const sgd_tensor *estimate, double *values,
               int32_t *silent, sgd_tensor *d[2]) {
    return guarded([&] {
        at::AutoGradMode recorded(true);
        const auto leaf = [&](const sgd_tensor *t) { return t->t.to(at::kDouble).view({p->batch, p->samples}); };
        const auto finite = (leaf(clean).isfinite().all(1)).logical_and(leaf(estimate).isfinite().all(1));
        const auto valid = [&](const sgd_tensor *t) {
            return at::where(finite.unsqueeze(1), leaf(t), at::zeros({1}, doubles())).requires_grad_();
        };
        const auto x = valid(clean), y = valid(estimate);
        const auto R = powers(p, x), D = powers(p, y);
        const auto quiet = R.silent.logical_or(D.silent), usable = finite.logical_and(quiet.logical_not());
        const auto found = distances(p, R.bands, D.bands);
        const auto slopes = torch::autograd::grad({at::where(usable, found, at::zeros_like(found)).sum()}, {x, y});
        for (int i = 0; i < 2; i++)
            d[i] = give(at::where(usable.unsqueeze(1), slopes[i], at::zeros({1}, doubles())).detach());
        const auto shown = at::where(usable, found.detach(), at::full_like(found, NAN)).cpu();
        const auto marked = finite.logical_and(quiet).to(at::kInt).cpu();
        std::copy_n(shown.contiguous().const_data_ptr<double>(), p->batch, values);
        std::copy_n(marked.contiguous().const_data_ptr<int>(), p->batch, silent);
        return 0;
    }, 1);
}
}  // namespace

void add_perceptual(sgd_table *t) { t->perceptual = perceptual; }
}  // namespace sgd
