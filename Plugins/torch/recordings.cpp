// Recordings: operations that are launched again at once, as CUDA graphs of torch where it has them.
//
// They are not used on a device whose first small recording does not compute what it should, nor with
// SGMSE_RECORDINGS=off. SGMSE_RECORDINGS=emulated, or sgmse_emulate_recordings(), records on the processor; see
// emulation.h.
#include "common.h"
#include <ATen/DeviceAccelerator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#if __has_include(<ATen/core/GraphImplInterface.h>)
#include "emulation.h"

struct sgd_recording {
    std::unique_ptr<at::GraphImplInterface> graph;
};

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, library) {
    library.fallback(torch::CppFunction::makeFromBoxedFunction<&sgd::emulation::call>());
}

namespace sgd {
namespace {
bool is_used = false;  // of the open device
bool is_asked_to_emulate = false;

// What the calling thread records. A card records what is asked of another stream than the usual one, which its
// operations are then launched on.
struct Session {
    std::unique_ptr<at::GraphImplInterface> graph;
    std::optional<c10::Stream> usual;
    std::string spoilt;
    std::unique_lock<std::mutex> turn;
};
// One recording at a time, and none is let go of meanwhile: a card that records cannot be waited for.
std::mutex turns;
thread_local std::unique_ptr<Session> session;

void wait() {
    if (!device.is_cpu()) at::accelerator::synchronizeDevice(device.index());
}

void return_to_usual(Session &s) {
    if (s.usual) c10::impl::VirtualGuardImpl(device.type()).exchangeStream(*s.usual);
    s.usual.reset();
}

int records() { return is_used ? 1 : 0; }

int record_begin(const sgd_recording *beside) {
    return guarded([&] {
        if (!is_used || session) throw std::runtime_error("nothing can be recorded now");
        auto begun = std::make_unique<Session>();
        begun->turn = std::unique_lock(turns);
        begun->graph = at::create_graph_impl(device.type());
        wait();
        if (!device.is_cpu()) {
            const c10::impl::VirtualGuardImpl streams(device.type());
            begun->usual = streams.exchangeStream(streams.getStreamFromGlobalPool(device));
        }
        try {
            begun->graph->capture_begin(beside ? beside->graph->pool() : at::MempoolId_t{0, 0},
                                        at::GraphCaptureMode::ThreadLocal);
        } catch (...) {
            return_to_usual(*begun);
            throw;
        }
        session = std::move(begun);
        return 0;
    }, 1);
}

sgd_recording *record_end() {
    const auto ended = std::move(session);
    return guarded([&]() -> sgd_recording * {
        if (!ended) throw std::runtime_error("nothing is recorded");
        if (!ended->spoilt.empty()) throw std::runtime_error(ended->spoilt);
        struct Return {
            Session &s;
            ~Return() { return_to_usual(s); }
        } back{*ended};
        ended->graph->capture_end();
        return new sgd_recording{std::move(ended->graph)};
    }, static_cast<sgd_recording *>(nullptr));
}

int replay(sgd_recording *r) {
    return done([&] { r->graph->replay(); });
}

void forget(sgd_recording *r) {
    guarded([&] {
        std::unique_lock<std::mutex> turn(turns, std::defer_lock);
        if (!session) {
            turn.lock();
            wait();
        }
        delete r;
        return 0;
    }, 1);
}

// Convolution, products and own kernels, recorded at one input and replayed at another.
void check() {
    const auto *table = sgmse_device_table();
    const auto wave = [](int64_t count, double step) {
        return sgd_tensor{at::sin(at::arange(count, floats()) * step).contiguous()};
    };
    constexpr int64_t size = 8, pixels = size * size;
    sgd_tensor x = wave(pixels * 4, 0.7);
    const sgd_tensor filter = wave(4 * 4 * 9, 0.3), gamma = wave(4, 0.9), beta = wave(4, 0.4);
    const sgd_conv shape{1, size, size, 4, 4, {3, 1, 1, 1, 1}, {3, 1, 1, 1, 1}};
    const sgd_attention rule{1, pixels, pixels, 4, 4, 0.5f};
    std::vector<sgd_tensor *> made;
    const auto keep = [&](sgd_tensor *t) {
        if (!t) throw std::runtime_error(table->error());
        made.push_back(t);
        return t;
    };
    const auto compute = [&] {
        sgd_source source{{&x, nullptr}, {4, 0}, nullptr, 0};
        const auto *stats = keep(table->group_stats(&source, 1, pixels, 2, 1e-6f));
        source.affine = keep(table->norm_affine(stats, &gamma, &beta, 1, 4, 2));
        source.activation = 1;
        const auto *y = keep(table->convolve(&shape, &source, &filter, nullptr, 0, nullptr, 1));
        return keep(table->attention(&rule, y, y, y));
    };
    const auto drop = [&] {
        for (auto *t : made) table->release(t);
        made.clear();
    };
    const Tensor first = x.t.clone(), second = first.flip(0).contiguous();
    x.t.copy_(second);
    const Tensor wanted = compute()->t;
    drop();
    x.t.copy_(first);
    if (record_begin(nullptr)) throw std::runtime_error(table->error());
    const Tensor found = compute()->t;
    sgd_recording *const r = record_end();
    if (!r) throw std::runtime_error(table->error());
    for (const auto &input : {first, second}) {
        x.t.copy_(input);
        if (replay(r)) throw std::runtime_error(table->error());
    }
    const double apart = (found - wanted).abs().max().item<double>();
    drop();
    forget(r);
    if (!(apart <= 1e-5 * wanted.abs().max().item<double>()))
        throw std::runtime_error("the first one computes something else than its operations");
}
}  // namespace

bool is_recording() { return session && session->spoilt.empty(); }

bool spoil_recording(const std::string &reason) {
    if (!is_recording()) return false;
    session->spoilt = reason.empty() ? "unknown" : reason;
    try { session->graph->capture_end(); } catch (const std::exception &) {}
    try { session->graph->reset(); } catch (const std::exception &) {}
    return_to_usual(*session);
    return true;
}

void record_beside(const std::function<void()> &action) { emulation::add(action); }

void prepare_recording() {
    const char *asked = std::getenv("SGMSE_RECORDINGS");
    const std::string choice = asked ? asked : "";
    const bool is_emulated = device.is_cpu() && (choice == "emulated" || is_asked_to_emulate);
    if (is_emulated) emulation::register_graphs();
    is_used = choice != "off" && (is_emulated || device.is_cuda()) && at::has_graph_impl(device.type());
    if (!is_used) return;
    try {
        c10::InferenceMode quiet;
        check();
    } catch (const std::exception &e) {
        is_used = false;
        const std::string reason = e.what();
        std::fprintf(stderr, "sgmse: operations are not recorded on this device: %s\n",
                     reason.substr(0, reason.find('\n')).c_str());
    }
}

void add_recording(sgd_table *t) {
    t->records = records;
    t->record_begin = record_begin;
    t->record_end = record_end;
    t->replay = replay;
    t->forget = forget;
}
}  // namespace sgd

// Whether the processor records from now on, for tests: a variable cannot be set while other threads read some.
extern "C" __attribute__((visibility("default"))) void sgmse_emulate_recordings(int whether) {
    sgd::is_asked_to_emulate = whether != 0;
    sgd::prepare_recording();
}
#else
// This torch has no graphs that can be used without the headers of CUDA.
namespace sgd {
bool is_recording() { return false; }
bool spoil_recording(const std::string &) { return false; }
void record_beside(const std::function<void()> &) {}
void prepare_recording() {}

void add_recording(sgd_table *t) {
    static const char *const reason = "this torch does not record";
    t->records = [] { return 0; };
    t->record_begin = [](const sgd_recording *) { fail(reason); return 1; };
    t->record_end = []() -> sgd_recording * { fail(reason); return nullptr; };
    t->replay = [](sgd_recording *) { fail(reason); return 1; };
    t->forget = [](sgd_recording *) {};
}
}  // namespace sgd
#endif

namespace sgd {
namespace {
// Numbers that were brought once, by their bytes. A recording reads them where they lie: they are never let go of.
template <class Number> Tensor once(const Number *values, int64_t count, at::ScalarType type) {
    static std::mutex turn;
    static std::map<std::string, Tensor> known;
    constexpr size_t most = 4096;  // of lists of channels or frames, a few kB each
    const std::lock_guard<std::mutex> lock(turn);
    std::string key = device.str() + ' ';
    key.append(reinterpret_cast<const char *>(values), sizeof(Number) * static_cast<size_t>(count));
    const auto place = known.find(key);
    if (place != known.end()) return place->second;
    const auto made = brought(values, {count}, type, type);
    if (known.size() < most) known.emplace(std::move(key), made);
    return made;
}
}  // namespace

Tensor constant(const float *values, int64_t count) { return once(values, count, at::kFloat); }
Tensor constant(const int64_t *values, int64_t count) { return once(values, count, at::kLong); }
}  // namespace sgd
