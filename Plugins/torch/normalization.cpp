// Group normalisation and activations as sources read them, and complex batch normalisation.
#include "common.h"
#include "steps.h"
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace sgd {
Tensor activated(const Tensor &x, int32_t activation) {
    switch (activation) {
    case 0: return x;
    case 1: return at::silu(x);
    case 2: return at::relu(x);
    case 3: return at::leaky_relu(x, 0.2);
    case 4: return at::elu(x);
    case 5: return at::leaky_relu(x, 0.01);
    }
    throw std::runtime_error("there is no activation number " + std::to_string(activation));
}

Tensor activation_gradient(const Tensor &x, const Tensor &dy, int32_t activation) {
    switch (activation) {
    case 0: return dy;
    case 1: return at::silu_backward(dy, x);
    case 2: return at::threshold_backward(dy, x, 0);
    case 3: return at::leaky_relu_backward(dy, x, 0.2, false);
    case 4: return at::elu_backward(dy, 1, 1, 1, false, x);
    case 5: return at::leaky_relu_backward(dy, x, 0.01, false);
    }
    throw std::runtime_error("there is no activation number " + std::to_string(activation));
}

Tensor raw_rows(const sgd_source *s, int64_t rows) {
    const auto first = s->part[0]->t.view({rows, s->width[0]});
    return s->width[1] ? at::cat({first, s->part[1]->t.view({rows, s->width[1]})}, 1) : first;
}

namespace {
// What a kernel reads a source by.
Rows rows_of(const sgd_source *s, int64_t rows) {
    const float *first = values_of(s->part[0], rows * s->width[0]);
    const float *second = s->width[1] ? values_of(s->part[1], rows * s->width[1]) : nullptr;
    return {first, second, static_cast<int>(s->width[0]), static_cast<int>(s->width[1])};
}

// Runs `body` where its kernels can index such a map, and there are any.
bool run_kernels(const sgd_source *s, int64_t batch, int64_t pixels, const std::function<void(Launcher &)> &body) {
    return s->activation >= 0 && s->activation <= 5 && steps::fits(batch, pixels, s->width[0] + s->width[1]) &&
           with_kernels(body);
}

bool are_groups(int64_t groups, int64_t channels) { return groups > 0 && channels % groups == 0; }
}  // namespace

Tensor read_source(const sgd_source *s, int64_t batch, int64_t pixels, bool rounded) {
    const int64_t channels = s->width[0] + s->width[1];
    Tensor y;
    const auto own = [&](Launcher &on) {
        y = at::empty({batch, pixels, channels}, floats().dtype(rounded ? at::kBFloat16 : at::kFloat));
        auto *halves = rounded ? static_cast<unsigned short *>(y.data_ptr()) : nullptr;
        float *floats_of_y = rounded ? nullptr : y.data_ptr<float>();
        steps::read(on, rows_of(s, batch * pixels), values_of(s->affine, 2 * batch * channels), s->activation, batch,
                    pixels, floats_of_y, halves);
    };
    if (s->affine && run_kernels(s, batch, pixels, own)) return y;
    const auto x = raw_rows(s, batch * pixels).view({batch, pixels, channels});
    if (!s->affine) return x;
    const auto a = s->affine->t.view({2, batch, 1, channels});
    return activated(at::addcmul(a[1], x, a[0]), s->activation);
}

namespace {
sgd_tensor *group_stats(const sgd_source *s, int64_t batch, int64_t pixels, int64_t groups, float eps) {
    return made([&] {
        Tensor found;
        const auto own = [&](Launcher &on) {
            found = at::empty({batch, groups, 2}, floats());
            steps::stats(on, rows_of(s, batch * pixels), batch, pixels, groups, eps, found.data_ptr<float>());
        };
        if (are_groups(groups, s->width[0] + s->width[1]) && run_kernels(s, batch, pixels, own)) return found;
        const auto x = raw_rows(s, batch * pixels).view({batch, pixels, groups, -1});
        const auto [variance, mean] = at::var_mean(x, axes({1, 3}), std::optional<at::Scalar>(0));
        return at::stack({mean, at::rsqrt(variance + eps)}, 2);
    });
}

// Mean and rate of every channel from those of its group, [B, C, 2].
Tensor of_channels(const sgd_tensor *stats, int64_t batch, int64_t groups, int64_t channels) {
    return stats->t.view({batch, groups, 2}).repeat_interleave(channels / groups, 1);
}

sgd_tensor *norm_affine(const sgd_tensor *stats, const sgd_tensor *gamma, const sgd_tensor *beta, int64_t batch,
                        int64_t channels, int64_t groups) {
    return made([&] {
        Tensor maps;
        const auto own = [&](Launcher &on) {
            maps = at::empty({2, batch, channels}, floats());
            steps::affine(on, values_of(stats, batch * groups * 2), values_of(gamma, channels),
                          values_of(beta, channels), batch, channels, groups, maps.data_ptr<float>());
        };
        if (are_groups(groups, channels) && steps::fits(batch, 1, channels) && with_kernels(own)) return maps;
        const auto found = of_channels(stats, batch, groups, channels);
        auto slope = found.select(2, 1);
        if (gamma) slope = slope * gamma->t;
        auto offset = -found.select(2, 0) * slope;
        if (beta) offset = offset + beta->t;
        return at::stack({slope, offset});
    });
}

sgd_tensor *source_read(const sgd_source *x, int64_t batch, int64_t pixels) {
    return made([&] {
        const auto y = read_source(x, batch, pixels);
        return x->affine && x->activation != 0 ? y : copied(y);
    });
}

int norm_act_backward(const sgd_source *s, const sgd_tensor *stats, const sgd_tensor *gamma, const sgd_tensor *dy,
                      int64_t batch, int64_t pixels, int64_t groups, sgd_tensor *d[3]) {
    return done([&] {
        const int64_t channels = s->width[0] + s->width[1];
        Tensor dx, dgamma, dbeta;
        const auto own = [&](Launcher &on) {
            dx = at::empty({batch, pixels, channels}, floats());
            dgamma = at::empty({channels}, floats());
            dbeta = at::empty({channels}, floats());
            float *const to[3] = {dx.data_ptr<float>(), dgamma.data_ptr<float>(), dbeta.data_ptr<float>()};
            const float *maps = s->activation != 0 ? values_of(s->affine, 2 * batch * channels) : nullptr;
            steps::backward(on, rows_of(s, batch * pixels), maps, s->activation, values_of(stats, batch * groups * 2),
                            values_of(gamma, channels), values_of(dy, batch * pixels * channels), batch, pixels, groups,
                            to);
        };
        if (are_groups(groups, channels) && run_kernels(s, batch, pixels, own)) {
            d[0] = give(dx);
            d[1] = give(dgamma);
            d[2] = give(dbeta);
            return;
        }
        const auto x = raw_rows(s, batch * pixels).view({batch, pixels, channels});
        auto g = dy->t.view({batch, pixels, channels});
        if (s->activation != 0) {
            const auto a = s->affine->t.view({2, batch, 1, channels});
            g = activation_gradient(at::addcmul(a[1], x, a[0]), g, s->activation);
        }
        const auto found = of_channels(stats, batch, groups, channels).view({batch, 1, channels, 2});
        const auto rate = found.select(3, 1), hat = (x - found.select(3, 0)) * rate;
        d[1] = give((g * hat).sum(axes({0, 1})));
        d[2] = give(g.sum(axes({0, 1})));
        if (gamma) g = g * gamma->t;
        const auto h4 = hat.view({batch, pixels, groups, -1}), g4 = g.reshape({batch, pixels, groups, -1});
        const auto mean = g4.mean(axes({1, 3}), true), along = (g4 * h4).mean(axes({1, 3}), true);
        d[0] = give((g4 - mean - h4 * along).view({batch, pixels, channels}) * rate);
    });
}

sgd_tensor *activate(const sgd_tensor *x, int32_t activation) {
    return made([&] { return activation == 0 ? copied(x->t) : activated(x->t, activation); });
}
sgd_tensor *activate_backward(const sgd_tensor *x, const sgd_tensor *dy, int32_t activation) {
    return made([&] { return activation == 0 ? copied(dy->t) : activation_gradient(x->t, dy->t, activation); });
}

// y = W V^(-1/2) (z - E z) + b over [pixels, 2C] with V = cov(Re z, Im z) + eps I, in double precision.
// V^(-1/2) = [[s + vii, -vri], [-vri, s + vrr]] / (s t), s = sqrt(det V), t = sqrt(tr V + 2 s).
Tensor complex_normalized(const Tensor &x, const Tensor &wrr, const Tensor &wri, const Tensor &wii, const Tensor &bias,
                          double eps) {
    const auto centred = x - x.mean(axes({0}), true);
    const auto parts = centred.chunk(2, 1);
    const auto &re = parts[0], &im = parts[1];
    const auto vrr = (re * re).mean(axes({0})) + eps, vri = (re * im).mean(axes({0})),
               vii = (im * im).mean(axes({0})) + eps;
    const auto s = (vrr * vii - vri * vri).sqrt(), t = (vrr + vii + 2 * s).sqrt(), share = 1 / (s * t);
    const auto urr = (s + vii) * share, uri = -vri * share, uii = (s + vrr) * share;
    const auto zrr = wrr * urr + wri * uri, zri = wrr * uri + wri * uii, zir = wri * urr + wii * uri,
               zii = wri * uri + wii * uii;
    return at::cat({zrr * re + zri * im, zir * re + zii * im}, 1) + bias;
}

sgd_tensor *complex_norm(const sgd_tensor *x, const sgd_tensor *const w[3], const sgd_tensor *bias, int64_t pixels,
                         int64_t channels, double eps) {
    return made([&] {
        const auto precise = [](const sgd_tensor *t) { return t->t.to(at::kDouble); };
        return complex_normalized(precise(x).view({pixels, 2 * channels}), precise(w[0]), precise(w[1]), precise(w[2]),
                                  precise(bias), eps);
    });
}

int complex_norm_backward(const sgd_tensor *x, const sgd_tensor *const w[3], const sgd_tensor *dy, int64_t pixels,
                          int64_t channels, double eps, sgd_tensor *d[5]) {
    return guarded([&] {
        at::AutoGradMode recorded(true);
        const auto leaf = [](const sgd_tensor *t) { return t->t.to(at::kDouble).requires_grad_(); };
        const auto z = x->t.to(at::kDouble).view({pixels, 2 * channels}).requires_grad_();
        const std::vector<Tensor> inputs = {z, leaf(w[0]), leaf(w[1]), leaf(w[2]),
                                            at::zeros({2 * channels}, doubles()).requires_grad_()};
        const auto y = complex_normalized(inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], eps);
        const auto found = torch::autograd::grad({y}, inputs, {dy->t.to(at::kDouble).view({pixels, 2 * channels})});
        for (int i = 0; i < 5; i++) d[i] = give(found[i].detach());
        return 0;
    }, 1);
}

// The root mean square of each row of [rows, columns], in double precision.
Tensor magnitudes(const Tensor &x) {
    return x.square().sum(axes({1}), true, at::kDouble).div_(static_cast<double>(x.size(1))).sqrt_();
}
sgd_tensor *rms_rows(const sgd_tensor *x, int64_t rows, int64_t columns, double epsilon, double gain) {
    return made([&] {
        const auto t = x->t.view({rows, columns});
        return t * (gain / (magnitudes(t) + epsilon)).to(at::kFloat);
    });
}
// dx = (gain / s) (dy - x (x dy) / (s m n)), with m the row's magnitude and s = epsilon + m.
sgd_tensor *rms_rows_backward(const sgd_tensor *x, const sgd_tensor *dy, int64_t rows, int64_t columns, double epsilon,
                              double gain) {
    return made([&] {
        const auto t = x->t.view({rows, columns}), d = dy->t.view({rows, columns});
        const auto m = magnitudes(t), s = m + epsilon, factor = gain / s;
        const auto along = ((t * d).sum(axes({1}), true, at::kDouble) / (s * m * static_cast<double>(columns)))
                               .masked_fill(m.le(0), 0);
        return d * factor.to(at::kFloat) - t * (factor * along).to(at::kFloat);
    });
}
}  // namespace

void add_normalization(sgd_table *t) {
    t->group_stats = group_stats;
    t->norm_affine = norm_affine;
    t->source_read = source_read;
    t->norm_act_backward = norm_act_backward;
    t->activate = activate;
    t->activate_backward = activate_backward;
    t->complex_norm = complex_norm;
    t->complex_norm_backward = complex_norm_backward;
    t->rms_rows = rms_rows;
    t->rms_rows_backward = rms_rows_backward;
}
}  // namespace sgd
