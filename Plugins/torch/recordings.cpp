// Recordings: operations that are launched again at once, as CUDA graphs.
//
// They are not used on a device whose first small recording does not compute what it should, nor with
// SGMSE_RECORDINGS=off. SGMSE_RECORDINGS=emulated, or sgmse_emulate_recordings(), records on the processor; see
// emulation.h.
#include "common.h"
#include "emulation.h"
#include "graph.h"
#include <ATen/DeviceAccelerator.h>
#include <atomic>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

struct sgd_recording {
    std::unique_ptr<sgd::Graph> graph;
};

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, library) {
    library.fallback(torch::CppFunction::makeFromBoxedFunction<&sgd::emulation::call>());
}

namespace sgd {
namespace {
std::atomic<bool> is_used{false};  // of the open device
bool is_asked_to_emulate = false;

// What the calling thread records, alone in the table. A card records what is asked of another stream than the usual
// one, which its operations are then launched on.
struct Session {
    std::unique_ptr<Graph> graph;
    std::optional<c10::Stream> usual;
    std::string spoilt;
};
thread_local std::unique_ptr<Session> session;

void wait() {
    if (!device.is_cpu()) at::accelerator::synchronizeDevice(device.index());
}

// One stream for all recordings of a card: cuBLAS keeps memory for each that it meets.
c10::Stream recording_stream() {
    static std::map<c10::DeviceIndex, c10::Stream> streams;
    const auto known = streams.find(device.index());
    if (known != streams.end()) return known->second;
    const auto made = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
    return streams.emplace(device.index(), made).first->second;
}

void return_to_usual(Session &s) {
    if (s.usual) c10::impl::VirtualGuardImpl(device.type()).exchangeStream(*s.usual);
    s.usual.reset();
}

// From now on, operations are launched one by one.
void stop_recording(const std::string &reason) {
    if (!is_used.exchange(false)) return;
    std::fprintf(stderr, "sgmse: operations are not recorded on this device: %s\n",
                 reason.substr(0, reason.find('\n')).c_str());
}

// A card failed to begin or to end a recording, which torch's memory may go on to wait for.
void abandon(Session &s, const std::string &reason) {
    if (device.is_cpu()) return;
    s.graph.release();
    stop_recording(reason);
}

int records() { return is_used ? 1 : 0; }

int record_begin(const sgd_recording *beside) {
    return guarded([&] {
        if (!is_used || session) throw std::runtime_error("nothing can be recorded now");
        auto begun = std::make_unique<Session>();
        begun->graph = device.is_cpu() ? emulated_graph() : card_graph();
        Inside::be_alone();
        try {
            if (!device.is_cpu()) {
                wait();
                at::accelerator::emptyCache();  // nothing of it can be had while something is recorded
                begun->usual = c10::impl::VirtualGuardImpl(device.type()).exchangeStream(recording_stream());
            }
            begun->graph->begin(beside ? beside->graph->memory() : Graph::Memory{0, 0});
        } catch (const std::exception &e) {
            return_to_usual(*begun);
            abandon(*begun, e.what());
            Inside::be_among_others();
            throw;
        }
        session = std::move(begun);
        return 0;
    }, 1);
}

sgd_recording *record_end() {
    return guarded([&]() -> sgd_recording * {
        const auto ended = std::move(session);
        if (!ended) throw std::runtime_error("nothing is recorded");
        struct Return {
            Session &s;
            ~Return() {
                return_to_usual(s);
                Inside::be_among_others();
            }
        } back{*ended};
        if (!ended->spoilt.empty()) throw std::runtime_error(ended->spoilt);
        try {
            ended->graph->end();
        } catch (const std::exception &e) {
            abandon(*ended, e.what());
            throw;
        }
        return new sgd_recording{std::move(ended->graph)};
    }, static_cast<sgd_recording *>(nullptr));
}

int replay(sgd_recording *r) {
    return done([&] { r->graph->replay(); });
}

void forget(sgd_recording *r) {
    guarded([&] {
        if (!session) wait();
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

std::unique_ptr<Graph> emulated_graph() { return std::make_unique<emulation::Emulated>(); }

bool is_recording() { return session && session->spoilt.empty(); }

bool spoil_recording(const std::string &reason) {
    if (!is_recording()) return false;
    session->spoilt = reason.empty() ? "unknown" : reason;
    try {
        session->graph->end();
        session->graph->reset();
    } catch (const std::exception &e) {
        abandon(*session, e.what());
    }
    return_to_usual(*session);
    return true;
}

void record_beside(const std::function<void()> &action) { emulation::add(action); }

void prepare_recording() {
    const char *asked = std::getenv("SGMSE_RECORDINGS");
    const std::string choice = asked ? asked : "";
    const bool is_emulated = device.is_cpu() && (choice == "emulated" || is_asked_to_emulate);
    is_used = choice != "off" && (is_emulated || (device.is_cuda() && !at::globalContext().hasROCM()));
    if (!is_used) return;
    try {
        c10::InferenceMode quiet;
        check();
    } catch (const std::exception &e) {
        const std::string reason = e.what();
        if (session)
            if (auto *unfinished = record_end()) forget(unfinished);
        stop_recording(reason);
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
