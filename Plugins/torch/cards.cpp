// Own kernels on a card: compiled by NVRTC for its architecture, loaded and launched by the driver.
//
// Where anything fails, one line on stderr says so, and ATen computes. SGMSE_KERNELS=aten keeps to ATen;
// SGMSE_KERNELS=emulated, or sgmse_emulate_kernels(), runs the kernels on the processor, which is slow and for tests.
#include "common.h"
#include "compiler.h"
#include "driver.h"
#include "steps.h"
#include <atomic>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <utility>

namespace sgd {
namespace {
// The driver's handle of a stream, which not every torch tells.
template <class Stream> constexpr bool tells_streams = requires(const Stream &stream) { stream.native_handle(); };

template <class Stream> void *handle(const Stream &stream) {
    if constexpr (tells_streams<Stream>) return stream.native_handle();
    else throw std::runtime_error("this torch does not tell its streams");
}

// The folders of the CUDA wheels beside torch's own.
std::vector<std::string> folders_of_wheels() {
    Dl_info torch{};
    if (!dladdr(reinterpret_cast<const void *>(&at::globalContext), &torch) || !torch.dli_fname) return {};
    const auto library = std::filesystem::path(torch.dli_fname).parent_path();
    const auto nvidia = library.parent_path().parent_path() / "nvidia";
    return {library, nvidia / "cu13" / "lib", nvidia / "cuda_nvrtc" / "lib"};
}

// The kernels of one card, for as long as the program runs.
class Card {
public:
    explicit Card(int index) {
        int card = 0;
        driver.check("cuDeviceGet", driver.card(&card, index));
        const auto [major, minor] = driver.capability(card);
        const std::string architecture = "sm_" + std::to_string(major) + std::to_string(minor);
        const std::string image = compiled_kernels(architecture, folders_of_wheels());
        driver.check("cuDevicePrimaryCtxRetain", driver.retain(&context, card));  // the one that torch uses
        const c10::DeviceGuard here(device);
        enter();
        void *module = nullptr;
        driver.check("cuModuleLoadData", driver.load(&module, image.data()));
        std::apply(
            [&](const auto &...kernel) {
                (driver.check(kernel.name, driver.function(&functions[kernel.name], module, kernel.name)), ...);
            },
            steps::all);
    }

    void launch(const char *name, Place grid, void **arguments) {
        const c10::DeviceGuard here(device);
        enter();
        void *stream = handle(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
        driver.check(name, driver.launch(functions.at(name), grid.x, grid.y, grid.z, kernels::Turns::threads, 1, 1, 0,
                                         stream, arguments, nullptr));
    }

private:
    // A thread that has not used the card has no context, even where torch's device is this one.
    void enter() {
        void *current = nullptr;
        driver.check("cuCtxGetCurrent", driver.context(&current));
        if (current != context) driver.check("cuCtxSetCurrent", driver.enter(context));
    }

    Driver driver;
    void *context = nullptr;
    std::map<std::string, void *> functions;
};

std::map<int, std::unique_ptr<Card>> cards;
std::atomic<Card *> card{nullptr};     // of the open device
std::atomic<bool> is_emulated{false};  // on the processor
bool is_asked_to_emulate = false;
bool is_checking = false;              // while kernels and ATen are compared: what fails is thrown

// Launches in torch's stream. Torch gives memory to others of the same stream only, so that scratch memory may go
// before the kernels have run.
class Launches : public Launcher {
public:
    // `card`: null to run them on the processor.
    explicit Launches(Card *card) : card(card) {}
    void launch(const char *name, bool meets, Place grid, void **arguments,
                const std::function<void()> &body) override {
        if (card) {
            card->launch(name, grid, arguments);
            return;
        }
        kernels::Turns::run(grid, meets, false, body);
        if (is_recording()) record_beside([=] { kernels::Turns::run(grid, meets, false, body); });
    }
    float *scratch(int64_t count) override {
        buffers.push_back(at::empty({count}, floats()));
        return buffers.back().data_ptr<float>();
    }

private:
    Card *const card;
    std::vector<Tensor> buffers;
};

void keep_to_aten(const std::string &reason) {
    card = nullptr;
    is_emulated = false;
    std::fprintf(stderr, "sgmse: own kernels are not used on this device, ATen's are: %s\n",
                 reason.substr(0, reason.find('\n')).c_str());
}

// The results of all kernels at small odd shapes.
std::vector<Tensor> results() {
    const auto *table = sgmse_device_table();
    const auto ask = [](sgd_tensor *t) {
        if (!t) throw std::runtime_error("an operation failed");
        const Tensor found = t->t;
        sgmse_device_table()->release(t);
        return found;
    };
    constexpr int64_t batch = 2, height = 13, width = 11, pixels = height * width, channels = 18, groups = 3;
    const auto wave = [](int64_t count, double step) {
        return sgd_tensor{at::sin(at::arange(count, floats()) * step).contiguous()};
    };
    const sgd_tensor first = wave(batch * pixels * 10, 0.7), second = wave(batch * pixels * 8, 1.3),
                     dy = wave(batch * pixels * channels, 2.1), gamma = wave(channels, 0.9), beta = wave(channels, 0.4);
    sgd_source x{{&first, &second}, {10, 8}, nullptr, 1};
    const sgd_tensor stats{ask(table->group_stats(&x, batch, pixels, groups, 1e-6f))};
    const sgd_tensor maps{ask(table->norm_affine(&stats, &gamma, &beta, batch, channels, groups))};
    x.affine = &maps;
    std::vector<Tensor> all = {stats.t, maps.t, ask(table->source_read(&x, batch, pixels)),
                               read_source(&x, batch, pixels, true).to(at::kFloat).view({-1})};
    sgd_tensor *d[3] = {};
    if (table->norm_act_backward(&x, &stats, &gamma, &dy, batch, pixels, groups, d)) ask(nullptr);
    for (auto *t : d) all.push_back(ask(t));
    const float taps[] = {0.1f, 0.4f, 0.3f, 0.2f};
    const sgd_resampling up{batch, height, width, channels, 2, 1, 2, 2 * height, 2 * width, 4, taps},
        down{batch, height, width, channels, 1, 2, 1, 6, 5, 4, taps};
    for (const auto *rule : {&up, &down}) all.push_back(ask(table->resample(rule, &dy)));
    return all;
}

// Compares the kernels with ATen on this device; throws where they differ by more than rounding.
void compare() {
    struct Checking {
        Checking() { is_checking = true; }
        ~Checking() { is_checking = false; }
    } checking;
    const auto own = results();
    std::vector<Tensor> wanted;
    {
        Card *const kept = card.exchange(nullptr);
        const bool emulated = is_emulated.exchange(false);
        wanted = results();
        card = kept;
        is_emulated = emulated;
    }
    for (size_t i = 0; i < own.size(); i++) {
        // The fourth is rounded to bfloat16 by the kernel alone.
        const double allowed = i == 3 ? 0.005 : 1e-4;
        const double apart = (own[i] - wanted[i].view_as(own[i])).abs().max().item<double>();
        if (!(apart <= allowed * wanted[i].abs().max().item<double>()))
            throw std::runtime_error("result " + std::to_string(i) + " of their first run is another than ATen's");
    }
}
}  // namespace

void prepare_kernels() {
    const char *asked = std::getenv("SGMSE_KERNELS");
    const std::string choice = asked ? asked : "";
    card = nullptr;
    is_emulated = device.is_cpu() && (choice == "emulated" || is_asked_to_emulate);
    const bool is_card = device.is_cuda() && !at::globalContext().hasROCM() && choice != "aten";
    if (!is_card && !is_emulated) return;
    try {
        c10::InferenceMode quiet;
        if (is_card) {
            auto &known = cards[device.index()];
            if (!known) known = std::make_unique<Card>(device.index());
            card = known.get();
        }
        compare();
    } catch (const std::exception &e) {
        keep_to_aten(e.what());
    }
}

const char *kernels_in_use() { return card ? ", own kernels" : is_emulated ? ", emulated kernels" : ""; }

bool with_kernels(const std::function<void(Launcher &)> &body) {
    Card *const mine = card;  // another thread may keep to ATen from now on
    if (!mine && !is_emulated) return false;
    try {
        Launches on(mine);
        body(on);
        return true;
    } catch (const c10::Error &) {
        throw;  // torch's own, such as too little memory, which ATen's way would meet too
    } catch (const std::exception &e) {
        // A recording that fails ends; its pass is computed.
        if (is_checking || is_recording()) throw;
        keep_to_aten(e.what());
        return false;
    }
}
}  // namespace sgd

// Whether kernels run on the processor from now on, for tests: a variable cannot be set while other threads read some.
extern "C" __attribute__((visibility("default"))) void sgmse_emulate_kernels(int whether) {
    sgd::is_asked_to_emulate = whether != 0;
    sgd::prepare_kernels();
}
