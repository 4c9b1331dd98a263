// Checks of the kernels without a card and without torch; scripts/torch-plugin --check builds and runs them.
//
//   check            the kernels on the processor against plain loops in double precision
//   check --nvrtc    the kernels compiled by NVRTC for sm_80 and sm_90, and the sizes of their arguments there and
//                    here; exit code 77 where there is no libnvrtc
#include "../compiler.h"
#include "../steps.h"
#include <algorithm>
#include <cstdio>
#include <deque>
#include <limits>
#include <random>
#include <string>

namespace {
using namespace sgd;
int mistakes = 0, compared = 0;

// Numbers between guards, so that a write beside them is found.
class Buffer {
public:
    explicit Buffer(int64_t count) : all(count + 2 * margin, guard) {
        std::fill(all.begin() + margin, all.end() - margin, std::numeric_limits<float>::quiet_NaN());
    }
    float *data() { return all.data() + margin; }
    int64_t count() const { return static_cast<int64_t>(all.size()) - 2 * margin; }
    float operator[](int64_t i) const { return all[margin + i]; }
    bool is_whole() const {
        const auto kept = [](float x) { return x == guard; };
        return std::all_of(all.begin(), all.begin() + margin, kept) && std::all_of(all.end() - margin, all.end(), kept);
    }

private:
    static constexpr int64_t margin = 64;
    static constexpr float guard = -12345.5f;
    std::vector<float> all;
};

class Processor : public Launcher {
public:
    explicit Processor(bool backwards) : backwards(backwards) {}
    ~Processor() override {
        for (const auto &buffer : buffers)
            if (!buffer.is_whole()) {
                std::printf("a kernel wrote beside its scratch memory\n");
                mistakes++;
            }
    }
    void launch(const char *, bool meets, Place grid, void **, const std::function<void()> &body) override {
        kernels::Turns::run(grid, meets, backwards, body);
    }
    float *scratch(int64_t count) override { return buffers.emplace_back(count).data(); }

private:
    bool backwards;
    std::deque<Buffer> buffers;
};

std::vector<float> noise(int64_t count, double mean = 0, double scale = 1) {
    static std::mt19937_64 draws(7);
    std::normal_distribution<double> normal(mean, scale);
    std::vector<float> values(count);
    for (auto &v : values) v = static_cast<float>(normal(draws));
    return values;
}

// The largest difference, relative to the largest value that is expected.
void expect(const std::string &what, const Buffer &found, const std::vector<double> &wanted, double tolerance) {
    double most = 0, worst = 0;
    for (const double w : wanted) most = std::max(most, std::abs(w));
    for (size_t i = 0; i < wanted.size(); i++) {
        const double apart = std::abs(found[i] - wanted[i]);
        worst = apart <= worst ? worst : apart;  // NaN stays
        if (std::isnan(apart)) break;
    }
    compared++;
    if (found.count() == static_cast<int64_t>(wanted.size()) && found.is_whole() && worst <= tolerance * most) return;
    std::printf("%s: apart by %.3g of %.3g (allowed %.1g of it)%s\n", what.c_str(), worst, most, tolerance,
                found.is_whole() ? "" : "; wrote beside its memory");
    mistakes++;
}

void expect_same(const std::string &what, Buffer &a, Buffer &b) {
    compared++;
    if (std::memcmp(a.data(), b.data(), a.count() * sizeof(float)) == 0) return;
    std::printf("%s: other bits where threads take turns in another order\n", what.c_str());
    mistakes++;
}

double act(double x, int kind) {
    switch (kind) {
    case 1: return x / (1 + std::exp(-x));
    case 2: return std::max(x, 0.0);
    case 3: return x > 0 ? x : 0.2 * x;
    case 4: return x > 0 ? x : std::expm1(x);
    case 5: return x > 0 ? x : 0.01 * x;
    }
    return x;
}
double slope_of_act(double x, int kind) {
    const double s = 1 / (1 + std::exp(-x));
    switch (kind) {
    case 1: return s + x * s * (1 - s);
    case 2: return x > 0;
    case 3: return x > 0 ? 1 : 0.2;
    case 4: return x > 0 ? 1 : std::exp(x);
    case 5: return x > 0 ? 1 : 0.01;
    }
    return 1;
}

struct Shape {
    int64_t batch, pixels, width, width2, groups;
    int activation;
    bool has_weights;
    double mean;
};

void check_normalization(const Shape &s) {
    const int64_t B = s.batch, P = s.pixels, C = s.width + s.width2, G = s.groups, each = C / G;
    const std::string name = std::to_string(B) + "×" + std::to_string(P) + "×" + std::to_string(s.width) + "+" +
                             std::to_string(s.width2) + ", " + std::to_string(G) + " groups, activation " +
                             std::to_string(s.activation) + ": ";
    const float eps = 1e-6f;
    const auto first = noise(B * P * s.width, s.mean), second = noise(B * P * s.width2, s.mean, 3);
    const auto gamma = noise(C), beta = noise(C), dy = noise(B * P * C);
    const Rows x{first.data(), s.width2 ? second.data() : nullptr, static_cast<int>(s.width),
                 static_cast<int>(s.width2)};
    const auto at = [&](int64_t row, int64_t c) -> double {
        return c < s.width ? first[row * s.width + c] : second[row * s.width2 + c - s.width];
    };

    // By plain loops.
    std::vector<double> stats(B * G * 2), maps(2 * B * C), y(B * P * C), g(B * P * C), h(B * P * C), dx(B * P * C),
        dgamma(C), dbeta(C);
    for (int64_t b = 0; b < B; b++)
        for (int64_t k = 0; k < G; k++) {
            double sum = 0, squares = 0;
            for (int64_t p = 0; p < P; p++)
                for (int64_t c = k * each; c < (k + 1) * each; c++) sum += at(b * P + p, c);
            const double mean = sum / static_cast<double>(P * each);
            for (int64_t p = 0; p < P; p++)
                for (int64_t c = k * each; c < (k + 1) * each; c++)
                    squares += (at(b * P + p, c) - mean) * (at(b * P + p, c) - mean);
            const double rate = 1 / std::sqrt(squares / static_cast<double>(P * each) + eps);
            stats[(b * G + k) * 2] = mean;
            stats[(b * G + k) * 2 + 1] = rate;
            for (int64_t c = k * each; c < (k + 1) * each; c++) {
                maps[b * C + c] = s.has_weights ? rate * gamma[c] : rate;
                maps[(B + b) * C + c] = (s.has_weights ? beta[c] : 0) - mean * maps[b * C + c];
            }
            double all = 0, along = 0;
            for (int64_t p = 0; p < P; p++)
                for (int64_t c = k * each; c < (k + 1) * each; c++) {
                    const int64_t i = (b * P + p) * C + c;
                    const double before = at(b * P + p, c) * maps[b * C + c] + maps[(B + b) * C + c];
                    y[i] = act(before, s.activation);
                    g[i] = dy[i] * slope_of_act(before, s.activation);
                    h[i] = (at(b * P + p, c) - mean) * rate;
                    dgamma[c] += g[i] * h[i];
                    dbeta[c] += g[i];
                    if (s.has_weights) g[i] *= gamma[c];
                    all += g[i];
                    along += g[i] * h[i];
                }
            for (int64_t p = 0; p < P; p++)
                for (int64_t c = k * each; c < (k + 1) * each; c++) {
                    const int64_t i = (b * P + p) * C + c;
                    dx[i] = (g[i] - (all + h[i] * along) / static_cast<double>(P * each)) * rate;
                }
        }

    struct Found {
        Buffer stats, maps, y, dx, dgamma, dbeta;
    };
    const auto compute = [&](bool backwards) {
        Found found{Buffer(B * G * 2), Buffer(2 * B * C), Buffer(B * P * C), Buffer(B * P * C), Buffer(C), Buffer(C)};
        Processor on(backwards);
        steps::stats(on, x, B, P, G, eps, found.stats.data());
        steps::affine(on, found.stats.data(), s.has_weights ? gamma.data() : nullptr,
                      s.has_weights ? beta.data() : nullptr, B, C, G, found.maps.data());
        steps::read(on, x, found.maps.data(), s.activation, B, P, found.y.data(), nullptr);
        float *d[3] = {found.dx.data(), found.dgamma.data(), found.dbeta.data()};
        steps::backward(on, x, s.activation ? found.maps.data() : nullptr, s.activation, found.stats.data(),
                        s.has_weights ? gamma.data() : nullptr, dy.data(), B, P, G, d);
        return found;
    };
    Found a = compute(false), b = compute(true);
    // Far from 0 a float itself is only so fine; its share of the spread is what a normalised value can lose.
    const double fine = 3e-6 + 1.2e-7 * std::abs(s.mean);
    expect(name + "statistics", a.stats, stats, 3e-6);
    expect(name + "maps", a.maps, maps, 5e-6);
    expect(name + "values", a.y, y, fine);
    expect(name + "gradient of x", a.dx, dx, 2 * fine);
    expect(name + "gradient of gamma", a.dgamma, dgamma, 5 * fine);
    expect(name + "gradient of beta", a.dbeta, dbeta, 5 * fine);
    expect_same(name + "statistics", a.stats, b.stats);
    expect_same(name + "values", a.y, b.y);
    expect_same(name + "gradient of x", a.dx, b.dx);
    expect_same(name + "gradient of gamma", a.dgamma, b.dgamma);
    expect_same(name + "gradient of beta", a.dbeta, b.dbeta);
}

// The other derivation of rounding: to the nearer of the two neighbours, to the even one between them.
void check_bfloat16() {
    std::vector<float> x = noise(4000, 0, 10);
    const float inf = std::numeric_limits<float>::infinity();
    x.insert(x.end(), {0.0f, -0.0f, 1.00390625f, 1.01171875f, 1.0039063f, 3.4e38f, -3.4e38f, 1e-42f, inf, -inf,
                       std::numeric_limits<float>::quiet_NaN()});
    const int64_t count = static_cast<int64_t>(x.size());
    std::vector<unsigned short> found(count);
    const float maps[] = {1, 0};
    Processor on(false);
    steps::read(on, Rows{x.data(), nullptr, 1, 0}, maps, 0, 1, count, nullptr, found.data());
    const auto widened = [](unsigned short half) {
        const unsigned bits = static_cast<unsigned>(half) << 16;
        float wide;
        std::memcpy(&wide, &bits, sizeof wide);
        return static_cast<double>(wide);
    };
    compared++;
    for (int64_t i = 0; i < count; i++) {
        const double rounded = widened(found[i]);
        bool right = std::isnan(x[i]) ? std::isnan(rounded) : rounded == static_cast<double>(x[i]);
        if (!right && std::isfinite(x[i])) {
            // Beyond the largest number the next step of the grid counts as infinity.
            const auto step = [&](unsigned short half) {
                return half % 0x8000 == 0x7f80 ? std::copysign(std::ldexp(1.0, 128), x[i]) : widened(half);
            };
            const double off = std::abs(step(found[i]) - static_cast<double>(x[i]));
            for (const int beside : {-1, 1}) {
                const double other = std::abs(step(static_cast<unsigned short>(found[i] + beside)) - x[i]);
                if (found[i] % 0x8000 == (beside == 1 ? 0x7f80 : 0)) continue;  // no neighbour of its sign
                right = off < other || (off == other && found[i] % 2 == 0);
                if (!right) break;
            }
        }
        if (right) continue;
        std::printf("bfloat16: %.9g became %.9g\n", x[i], rounded);
        mistakes++;
        return;
    }
}

void check_resampling(const std::vector<float> &taps, int64_t up, int64_t down, int64_t before, int64_t after,
                      int64_t batch, int64_t height, int64_t width, int64_t channels) {
    const auto count = static_cast<int64_t>(taps.size());
    const auto size = [&](int64_t n) { return (n * up + before + after - count) / down + 1; };
    const sgd_resampling s{batch, height, width, channels, up, down, before, size(height), size(width), count,
                           taps.data()};
    const auto x = noise(batch * height * width * channels);
    std::vector<double> wanted(batch * s.out_height * s.out_width * channels);
    // Every input spreads to every output that it reaches, which is the other way round from the kernel's.
    for (int64_t b = 0; b < batch; b++)
        for (int64_t v = 0; v < height; v++)
            for (int64_t u = 0; u < width; u++)
                for (int64_t i = 0; i < count; i++)
                    for (int64_t j = 0; j < count; j++) {
                        const int64_t fine_y = v * up + before - count + 1 + i;
                        const int64_t fine_x = u * up + before - count + 1 + j;
                        if (fine_y < 0 || fine_x < 0 || fine_y % down || fine_x % down) continue;
                        const int64_t oy = fine_y / down, ox = fine_x / down;
                        if (oy >= s.out_height || ox >= s.out_width) continue;
                        const double factor = static_cast<double>(taps[i]) * taps[j];
                        const float *from = x.data() + ((b * height + v) * width + u) * channels;
                        double *to = wanted.data() + ((b * s.out_height + oy) * s.out_width + ox) * channels;
                        for (int64_t c = 0; c < channels; c++) to[c] += factor * from[c];
                    }
    Buffer y(static_cast<int64_t>(wanted.size()));
    Processor on(false);
    if (!steps::fits(s)) throw std::logic_error("a shape that fits was refused");
    steps::resample(on, s, x.data(), y.data());
    expect("resampling by " + std::to_string(up) + "/" + std::to_string(down) + " with " + std::to_string(count) +
               " taps of " + std::to_string(height) + "×" + std::to_string(width) + "×" + std::to_string(channels),
           y, wanted, 2e-6);
}

// The sizes of a kernel's arguments in PTX: ".param .u32 name_param_0" or ".param .align 8 .b8 name_param_0[24]".
std::vector<size_t> sizes_in(const std::string &ptx, const std::string &name) {
    std::vector<size_t> sizes;
    for (size_t number = 0;; number++) {
        const std::string ending = name + "_param_" + std::to_string(number);
        const size_t entry = ptx.find(".entry " + name + "("), at = ptx.find(" " + ending, entry);
        if (entry == std::string::npos || at == std::string::npos || at > ptx.find(')', entry)) return sizes;
        const size_t after = at + 1 + ending.size();
        if (ptx[after] == '[') sizes.push_back(std::stoul(ptx.substr(after + 1)));
        else sizes.push_back(std::stoul(ptx.substr(ptx.rfind('.', at) + 2)) / 8);
    }
}

int compile() {
    int bad = 0;
    for (const std::string architecture : {"sm_80", "sm_90", "compute_80", "compute_90"}) {
        try {
            const auto image = compiled_kernels(architecture, {});
            int number = 0;
            const auto check_one = [&](const auto &kernel) {
                number++;
                const bool is_text = architecture[0] == 'c';
                if (is_text ? sizes_in(image, kernel.name) == kernel.sizes() : image.find(kernel.name) < image.size())
                    return;
                std::printf("%s: %s is missing, or has other arguments\n", architecture.c_str(), kernel.name);
                bad = 1;
            };
            std::apply([&](const auto &...kernel) { (check_one(kernel), ...); }, steps::all);
            std::printf("%s: %d kernels, %zu bytes\n", architecture.c_str(), number, image.size());
        } catch (const std::exception &e) {
            std::printf("%s\n", e.what());
            return std::string(e.what()).find("there is no libnvrtc") == 0 ? 77 : 1;
        }
    }
    return bad;
}
}  // namespace

int main(int count, char **arguments) {
    if (count > 1 && std::string(arguments[1]) == "--nvrtc") return compile();
    const Shape shapes[] = {
        {1, 1, 1, 0, 1, 0, false, 0},    {1, 63, 4, 0, 2, 1, true, 0},     {3, 35, 8, 0, 2, 1, true, 0},
        {2, 65, 5, 7, 3, 1, true, 0},    {2, 129, 33, 0, 33, 2, true, 0},  {1, 200, 31, 34, 5, 3, false, 0},
        {2, 77, 6, 6, 4, 4, true, 0},    {1, 511, 64, 0, 32, 5, true, 0},  {2, 128, 1, 2, 1, 1, true, 0},
        {1, 8193, 3, 0, 3, 1, true, 0},  {1, 9000, 2, 2, 2, 1, true, 0},   {1, 1000, 8, 0, 2, 1, true, 300},
        {1, 64, 600, 0, 2, 1, true, 0},
    };
    for (const auto &shape : shapes) check_normalization(shape);
    check_bfloat16();
    check_resampling({0.25f, 0.75f, 0.75f, 0.25f}, 2, 1, 2, 1, 2, 8, 7, 5);
    check_resampling({0.125f, 0.375f, 0.375f, 0.125f}, 1, 2, 1, 1, 2, 9, 7, 5);
    check_resampling({0.125f, 0.375f, 0.375f, 0.1f}, 1, 2, 1, 1, 1, 6, 10, 130);
    check_resampling({1}, 2, 1, 0, -1, 3, 4, 3, 2);
    check_resampling({0.2f, 0.5f, 0.3f}, 1, 1, 1, 1, 1, 1, 1, 1);
    check_resampling({1, 2}, 3, 2, -1, 2, 2, 8, 7, 3);
    check_resampling({1, -2, 3, 0.5f, 7, -1, 2, 4}, 3, 4, 5, 6, 1, 11, 5, 300);
    // The gradient's form of an up-sampling.
    check_resampling({0.1f, 0.4f, 0.3f, 0.2f}, 1, 2, 1, 2, 1, 12, 10, 3);
    std::printf("%d comparisons, %d mistakes\n", compared, mistakes);
    return mistakes == 0 ? 0 : 1;
}
