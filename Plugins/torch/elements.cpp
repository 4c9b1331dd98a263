// Element by element, reductions, layout, dropout, and Adam.
#include "common.h"

namespace sgd {
namespace {
sgd_tensor *axpby(float a, const sgd_tensor *x, float b, const sgd_tensor *y) {
    return made([&] { return a == 1 ? at::add(x->t, y->t, b) : at::add(x->t * a, y->t, b); });
}
int accumulate(const sgd_tensor *x, sgd_tensor *y) { return done([&] { y->t.add_(x->t); }); }

sgd_tensor *unary(int32_t kind, const sgd_tensor *x, float a, float b) {
    return made([&]() -> Tensor {
        switch (kind) {
        case SGD_AFFINE: return b == 0 ? x->t * a : at::add(x->t * a, b);
        case SGD_SIGN: return at::sign(x->t) * a;
        case SGD_INVERSE_ROOT: return at::rsqrt(x->t + a);
        case SGD_INVERSE_SQUARE: {
            const auto precise = x->t.to(at::kDouble);
            return ((1 / (precise * precise) - a).clamp_min(0) * b).to(at::kFloat);
        }
        case SGD_CLIP: return at::clamp(x->t, -a, a);
        case SGD_INSIDE: return x->t.abs().le(a).to(at::kFloat);
        }
        throw std::runtime_error("there is no function number " + std::to_string(kind));
    });
}
sgd_tensor *multiply(const sgd_tensor *x, const sgd_tensor *y) { return made([&] { return x->t * y->t; }); }

sgd_tensor *add_rows(const sgd_tensor *x, const sgd_tensor *bias, int64_t rows, int64_t batch, int64_t pixels,
                     int64_t channels) {
    return made([&] { return x->t.view({batch, pixels, channels}) + bias->t.view({rows, 1, channels}); });
}
sgd_tensor *modulate(const sgd_tensor *x, const sgd_tensor *scale, const sgd_tensor *shift, int64_t batch,
                     int64_t pixels, int64_t channels) {
    return made([&] {
        auto y = x->t.view({batch, pixels, channels}) * (scale->t.view({batch, 1, channels}) + 1);
        if (shift) y.add_(shift->t.view({batch, 1, channels}));
        return y;
    });
}
sgd_tensor *scale_samples(const sgd_tensor *x, const sgd_tensor *factors, int64_t batch) {
    return made([&] { return x->t.view({batch, -1}) * factors->t.view({batch, 1}); });
}

// Words 0 ..< each of the Philox-4x32-10 stream of every key, [B, each]: four from each block of counters.
// Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. In 64 bits, of which the lower 32 count.
Tensor philox(const uint64_t *keys, int64_t batch, int64_t each) {
    constexpr int64_t low = 0xFFFFFFFFLL;
    std::vector<int64_t> first(batch), second(batch);
    for (int64_t b = 0; b < batch; b++) {
        first[b] = static_cast<int64_t>(keys[b] & low);
        second[b] = static_cast<int64_t>(keys[b] >> 32);
    }
    auto k0 = brought(first.data(), {batch, 1}, at::kLong, at::kLong),
         k1 = brought(second.data(), {batch, 1}, at::kLong, at::kLong);
    const auto counter = at::arange((each + 3) / 4, at::TensorOptions(at::kLong).device(device)).expand({batch, -1});
    auto c0 = counter.bitwise_and(low), c1 = counter.bitwise_right_shift(32), c2 = at::zeros_like(counter),
         c3 = at::zeros_like(counter);
    const auto high = [](const Tensor &x) { return x.bitwise_right_shift(32).bitwise_and(low); };
    for (int round = 0; round < 10; round++) {
        const auto p0 = c0 * 0xD2511F53LL, p1 = c2 * 0xCD9E8D57LL;
        c0 = high(p1).bitwise_xor(c1).bitwise_xor(k0);
        c1 = p1.bitwise_and(low);
        c2 = high(p0).bitwise_xor(c3).bitwise_xor(k1);
        c3 = p0.bitwise_and(low);
        k0 = (k0 + 0x9E3779B9LL).bitwise_and(low);
        k1 = (k1 + 0xBB67AE85LL).bitwise_and(low);
    }
    return at::stack({c0, c1, c2, c3}, 2).view({batch, -1}).narrow(1, 0, each);
}
sgd_tensor *dropout(const sgd_tensor *x, const uint64_t *keys, int64_t batch, uint32_t threshold, float kept) {
    return made([&] {
        const auto rows = x->t.view({batch, -1});
        const auto mask = philox(keys, batch, rows.size(1)).ge(static_cast<int64_t>(threshold)).to(at::kFloat) * kept;
        return rows * mask;
    });
}

sgd_tensor *channel_sums(const sgd_tensor *x, int64_t batch, int64_t pixels, int64_t channels) {
    return made([&] { return x->t.view({batch, pixels, channels}).sum(axes({1})); });
}
int dot(const sgd_tensor *x, const sgd_tensor *y, double *value) {
    return done([&] {
        if (is_recording()) throw std::runtime_error("a sum is read");
        *value = (x->t * y->t).sum(at::kDouble).item<double>();
    });
}
int sums(int32_t kind, const sgd_tensor *const *x, int64_t count, int64_t parts, double *values) {
    return done([&] {
        if (is_recording()) throw std::runtime_error("sums are read");
        if (kind < SGD_SUM || kind > SGD_SQUARE_SUM)
            throw std::runtime_error("there is no sum number " + std::to_string(kind));
        std::vector<Tensor> sums;
        for (int64_t i = 0; i < count; i++) {
            const auto &t = x[i]->t;
            const auto terms = kind == SGD_SUM ? t : kind == SGD_ABSOLUTE_SUM ? t.abs() : t.square();
            sums.push_back(terms.view({parts, -1}).sum(axes({1}), false, at::kDouble));
        }
        if (count > 0) at::from_blob(values, {count * parts}, at::kDouble).copy_(at::cat(sums));
    });
}

sgd_tensor *concatenate(const sgd_tensor *const *parts, const int64_t *widths, int64_t count, int64_t pixels) {
    return made([&] {
        std::vector<Tensor> maps;
        for (int64_t i = 0; i < count; i++) maps.push_back(parts[i]->t.view({pixels, widths[i]}));
        return at::cat(maps, 1);
    });
}
sgd_tensor *slice(const sgd_tensor *x, int64_t pixels, int64_t channels, int64_t first, int64_t count) {
    return made([&] { return copied(x->t.view({pixels, channels}).narrow(1, first, count)); });
}
sgd_tensor *select(const sgd_tensor *x, int64_t rows, int64_t entries, int64_t width, const int64_t *index,
                   int64_t count) {
    return made([&] {
        const auto chosen = constant(index, count);
        auto y = x->t.view({rows, entries, width}).index_select(1, chosen.clamp_min(0));
        return y.masked_fill_(chosen.lt(0).view({1, count, 1}), 0);
    });
}

int adam(int64_t count, sgd_tensor *const *w, const sgd_tensor *const *g, sgd_tensor *const *m, sgd_tensor *const *v,
         sgd_tensor *const *averages, const sgd_adam *p) {
    return done([&] {
        std::vector<Tensor> weights, gradients, first, second, followed, average;
        for (int64_t i = 0; i < count; i++) {
            weights.push_back(w[i]->t);
            gradients.push_back(g[i]->t);
            first.push_back(m[i]->t);
            second.push_back(v[i]->t);
            if (!averages[i]) continue;
            followed.push_back(w[i]->t);
            average.push_back(averages[i]->t);
        }
        if (count == 0) return;
        if (p->scale != 1) gradients = at::_foreach_mul(gradients, p->scale);
        at::_foreach_mul_(first, p->beta1);
        at::_foreach_add_(first, gradients, 1 - p->beta1);
        at::_foreach_mul_(second, p->beta2);
        at::_foreach_addcmul_(second, gradients, gradients, 1 - p->beta2);
        auto roots = at::_foreach_div(second, p->correction2);
        at::_foreach_sqrt_(roots);
        at::_foreach_add_(roots, p->epsilon);
        at::_foreach_addcdiv_(weights, first, roots, -p->rate / p->correction1);
        if (!average.empty()) at::_foreach_lerp_(average, followed, 1 - p->decay);
    });
}
}  // namespace

void add_elements(sgd_table *t) {
    t->axpby = axpby;
    t->accumulate = accumulate;
    t->unary = unary;
    t->multiply = multiply;
    t->add_rows = add_rows;
    t->modulate = modulate;
    t->scale_samples = scale_samples;
    t->dropout = dropout;
    t->channel_sums = channel_sums;
    t->dot = dot;
    t->sums = sums;
    t->concatenate = concatenate;
    t->slice = slice;
    t->select = select;
    t->adam = adam;
}
}  // namespace sgd
