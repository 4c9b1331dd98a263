// Convolutions, resampling, pooling, matrix products and attention.
#include "common.h"
#include "steps.h"

namespace sgd {
namespace {
using Sizes = std::vector<int64_t>;

bool is_even(const sgd_window &w) { return w.before == w.after; }
int64_t size_after(const sgd_window &w, int64_t n) {
    return (n + w.before + w.after - w.dilation * (w.kernel - 1) - 1) / w.stride + 1;
}

// The map, and the zeros that the convolution itself adds: those that differ before and behind are added here.
Tensor padded(const sgd_conv *s, const Tensor &x, Sizes &padding) {
    if (is_even(s->y) && is_even(s->x)) {
        padding = {s->y.before, s->x.before};
        return x;
    }
    padding = {0, 0};
    return at::constant_pad_nd(x, {s->x.before, s->x.after, s->y.before, s->y.after})
        .contiguous(at::MemoryFormat::ChannelsLast);
}

Tensor input(const sgd_conv *s, const sgd_source *x) {
    const auto read = read_source(x, s->batch, s->height * s->width, precision == SGD_BF16);
    return map(read.contiguous(), s->batch, s->height, s->width, s->channels);
}
Tensor filter(const sgd_conv *s, const Tensor &w) {
    return w.view({s->filters, s->channels, s->y.kernel, s->x.kernel}).contiguous(at::MemoryFormat::ChannelsLast);
}

sgd_tensor *convolve(const sgd_conv *s, const sgd_source *x, const sgd_tensor *w, const sgd_tensor *bias,
                     int64_t bias_rows, const sgd_tensor *residual, float scale) {
    return made([&] {
        Sizes padding;
        const auto in = padded(s, input(s, x), padding);
        const bool is_plain = bias && bias_rows == 1;
        // Of halves, the bias is added to the sums in fp32.
        const bool inside = is_plain && precision != SGD_BF16;
        auto y = whole(
            at::convolution(factor(in), factor(filter(s, w->t)), inside ? std::optional<Tensor>(bias->t) : std::nullopt,
                            {s->y.stride, s->x.stride}, padding, {s->y.dilation, s->x.dilation}, false, {0, 0}, 1));
        if (is_plain && !inside) y.add_(bias->t.view({1, s->filters, 1, 1}));
        if (bias && !is_plain) y.add_(bias->t.view({s->batch, s->filters, 1, 1}));
        if (residual) y.add_(map(residual->t, y.size(0), y.size(2), y.size(3), s->filters));
        if (scale != 1) y.mul_(scale);
        return dense(y);
    });
}

// The gradients of the padded input and of the filter, whichever are wanted.
std::pair<Tensor, Tensor> gradients(const sgd_conv *s, const Tensor &dy, const Tensor &x, const Tensor &w,
                                    bool of_input) {
    Sizes padding;
    const auto in = padded(s, x, padding);
    const auto out = map(dy, s->batch, size_after(s->y, s->height), size_after(s->x, s->width), s->filters);
    auto [dx, dw, db] = at::convolution_backward(factor(out), factor(in), factor(w), at::OptionalIntArrayRef(),
                                                 {s->y.stride, s->x.stride}, padding, {s->y.dilation, s->x.dilation},
                                                 false, {0, 0}, 1, {of_input, !of_input, false});
    if (of_input && !(is_even(s->y) && is_even(s->x)))
        dx = dx.narrow(2, s->y.before, s->height).narrow(3, s->x.before, s->width);
    return {of_input ? whole(dx) : dx, of_input ? dw : whole(dw)};
}

sgd_tensor *convolve_dx(const sgd_conv *s, const sgd_tensor *dy, const sgd_tensor *w) {
    return made([&] {
        const auto x = map(at::empty({s->batch * s->height * s->width * s->channels}, floats()), s->batch, s->height,
                           s->width, s->channels);
        return dense(gradients(s, dy->t, x, filter(s, w->t), true).first);
    });
}

sgd_tensor *convolve_dw(const sgd_conv *s, const sgd_source *x, const sgd_tensor *dy) {
    return made([&] {
        const auto w =
            at::empty({s->filters, s->channels, s->y.kernel, s->x.kernel}, floats(), at::MemoryFormat::ChannelsLast);
        return gradients(s, dy->t, input(s, x), w, false).second.contiguous(at::MemoryFormat::Contiguous);
    });
}

sgd_tensor *resample(const sgd_resampling *s, const sgd_tensor *x) {
    return made([&] {
        Tensor y;
        const auto own = [&](Launcher &on) {
            y = at::empty({s->batch * s->out_height * s->out_width * s->channels}, floats());
            const float *from = values_of(x, s->batch * s->height * s->width * s->channels);
            steps::resample(on, *s, from, y.data_ptr<float>());
        };
        if (steps::fits(*s) && with_kernels(own)) return y;
        auto m = map(x->t, s->batch, s->height, s->width, s->channels);
        if (s->up > 1) {
            const auto spread =
                at::zeros({s->batch, s->height * s->up, s->width * s->up, s->channels}, floats()).permute({0, 3, 1, 2});
            spread.slice(2, 0, std::nullopt, s->up).slice(3, 0, std::nullopt, s->up).copy_(m);
            m = spread;
        }
        const int64_t below = (s->out_height - 1) * s->down + s->count - s->before - m.size(2);
        const int64_t right = (s->out_width - 1) * s->down + s->count - s->before - m.size(3);
        m = at::constant_pad_nd(m, {s->before, right, s->before, below});
        // A convolution turns the taps around; torch's does not.
        const auto taps = constant(s->taps, s->count).flip(0);
        const auto vertical = taps.view({1, 1, s->count, 1}).expand({s->channels, 1, s->count, 1}).contiguous();
        const auto horizontal = taps.view({1, 1, 1, s->count}).expand({s->channels, 1, 1, s->count}).contiguous();
        m = at::convolution(m, vertical, std::nullopt, {s->down, 1}, {0, 0}, {1, 1}, false, {0, 0}, s->channels);
        m = at::convolution(m, horizontal, std::nullopt, {1, s->down}, {0, 0}, {1, 1}, false, {0, 0}, s->channels);
        return dense(m);
    });
}

sgd_tensor *pool(const sgd_tensor *x, const int64_t s[6]) {
    return made([&] { return dense(at::adaptive_avg_pool2d(map(x->t, s[0], s[1], s[2], s[3]), {s[4], s[5]})); });
}

sgd_tensor *pool_backward(const sgd_tensor *dy, const int64_t s[6]) {
    return made([&] {
        const auto x = at::empty({s[0], s[3], s[1], s[2]}, floats());
        return dense(at::_adaptive_avg_pool2d_backward(map(dy->t, s[0], s[4], s[5], s[3]).contiguous(), x));
    });
}

sgd_tensor *gemm(int64_t batch, int64_t M, int64_t N, int64_t K, float alpha, const sgd_tensor *A, const int64_t a[3],
                 const sgd_tensor *B, const int64_t b[3]) {
    return made([&] {
        const auto x = A->t.as_strided({batch, M, K}, {a[2], a[0], a[1]}),
                   y = B->t.as_strided({batch, K, N}, {b[2], b[0], b[1]});
        auto c = whole(at::bmm(factor(x), factor(y)));
        if (alpha != 1) c.mul_(alpha);
        return c;
    });
}

sgd_tensor *transpose(const sgd_tensor *x, int64_t batch, int64_t rows, int64_t columns) {
    return made([&] { return copied(x->t.view({batch, rows, columns}).transpose(1, 2)); });
}

int softmax(sgd_tensor *x, int64_t rows, int64_t columns) {
    return done([&] {
        auto part = x->t.narrow(0, 0, rows * columns).view({rows, columns});
        part.copy_(at::softmax(part, 1));
    });
}

int softmax_backward(const sgd_tensor *y, sgd_tensor *dy, int64_t rows, int64_t columns) {
    return done([&] {
        auto part = dy->t.narrow(0, 0, rows * columns).view({rows, columns});
        part.copy_(
            at::_softmax_backward_data(part, y->t.narrow(0, 0, rows * columns).view({rows, columns}), 1, at::kFloat));
    });
}

sgd_tensor *attention(const sgd_attention *s, const sgd_tensor *q, const sgd_tensor *k, const sgd_tensor *v) {
    return made([&] {
        return whole(at::scaled_dot_product_attention(
            factor(q->t.view({s->batch, 1, s->rows, s->width})), factor(k->t.view({s->batch, 1, s->length, s->width})),
            factor(v->t.view({s->batch, 1, s->length, s->depth})), std::nullopt, 0, false, s->alpha));
    });
}

// With W the weights and S = W (dO V^T - rowsum(W dO V^T)): dQ = alpha S K, dK = alpha S^T Q, dV = W^T dO.
int attention_backward(const sgd_attention *s, const sgd_tensor *q, const sgd_tensor *k, const sgd_tensor *v,
                       const sgd_tensor *dy, sgd_tensor *d[3]) {
    return done([&] {
        const auto Q = q->t.view({s->batch, s->rows, s->width}), K = k->t.view({s->batch, s->length, s->width});
        const auto V = v->t.view({s->batch, s->length, s->depth}), dO = dy->t.view({s->batch, s->rows, s->depth});
        const auto W = at::softmax(at::bmm(Q, K.transpose(1, 2)).mul_(s->alpha), 2);
        const auto S = at::_softmax_backward_data(at::bmm(dO, V.transpose(1, 2)), W, 2, at::kFloat).mul_(s->alpha);
        d[0] = give(at::bmm(S, K));
        d[1] = give(at::bmm(S.transpose(1, 2), Q));
        d[2] = give(at::bmm(W.transpose(1, 2), dO));
    });
}
}  // namespace

void add_networks(sgd_table *t) {
    t->convolve = convolve;
    t->convolve_dx = convolve_dx;
    t->convolve_dw = convolve_dw;
    t->resample = resample;
    t->pool = pool;
    t->pool_backward = pool_backward;
    t->gemm = gemm;
    t->transpose = transpose;
    t->softmax = softmax;
    t->softmax_backward = softmax_backward;
    t->attention = attention;
    t->attention_backward = attention_backward;
}
}  // namespace sgd
