// The table itself: which devices there are, the one in use, and the memory of tensors.
#include "common.h"
#include "driver.h"
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <atomic>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <torch/version.h>

namespace sgd {
c10::Device device(c10::kCPU);
int32_t precision = SGD_FP32;

namespace {
thread_local std::string problem;
std::string version_text;
std::atomic<int64_t> bytes_in_use{0}, peak_bytes{0};

void count(int64_t bytes) {
    int64_t now = bytes_in_use.fetch_add(bytes) + bytes, most = peak_bytes.load();
    while (now > most && !peak_bytes.compare_exchange_weak(most, now)) {}
}

const char *error() { return problem.c_str(); }

// Threads of the table share `entrance`; one that records has it alone, and `turns` until it is done, which those who
// come later wait for.
std::shared_mutex entrance;
std::mutex turns;
std::atomic<bool> is_alone_wanted{false};
thread_local int depth = 0;
thread_local bool is_alone = false;

// Torch computes where a tensor is; what has no tensor, such as waiting and recording, happens on the thread's card.
void turn_to_device() {
    thread_local c10::DeviceIndex card = -1;
    if (!device.is_cuda() || card == device.index()) return;
    at::accelerator::setDeviceIndex(device.index());
    card = device.index();
}

// Torch has settings of its own for convolutions, which are TF32 unless told otherwise, and which precede that for all.
void compute_floats_in(bool tf32) {
    auto &torch = at::globalContext();
    torch.setFloat32Precision(at::Float32Backend::GENERIC, at::Float32Op::ALL,
                              tf32 ? at::Float32Precision::TF32 : at::Float32Precision::IEEE);
    torch.setAllowTF32CuDNN(tf32);
    torch.setAllowTF32CuBLAS(tf32);
    if (torch.allowTF32CuDNN(at::Float32Op::CONV) != tf32 || torch.allowTF32CuDNN() != tf32 ||
        torch.allowTF32CuBLAS() != tf32)
        throw std::runtime_error("this torch computes in another precision than it is told to");
    torch.setAllowBF16ReductionCuBLAS(false);  // sums in fp32
    torch.setDeterministicCuDNN(true);         // the same bits in every run
}

// Whether this torch knows CUDA or ROCm, which at::hasCUDA() says only where there is a card too.
bool is_built_with_cuda() { return at::detail::getCUDAHooks().hasCUDART() || at::globalContext().hasROCM(); }

// Why torch cannot use any card of this machine, in its own words; empty where it can.
std::string why_no_card() {
    if (at::hasCUDA()) return "";
    try {
        at::detail::getCUDAHooks().init();
        at::zeros({1}, at::TensorOptions(c10::Device(c10::kCUDA, 0)));
    } catch (const std::exception &e) {
        // Its first sentence.
        const std::string reason = e.what(), line = reason.substr(0, reason.find('\n'));
        return line.substr(0, line.find(". "));
    }
    return "torch finds none";
}

const char *version() {
    version_text = std::string("LibTorch ") + TORCH_VERSION;
    if (at::globalContext().hasROCM()) {
        version_text += ", ROCm";
    } else if (is_built_with_cuda()) {
        const long cuda = at::detail::getCUDAHooks().versionCUDART();
        if (cuda > 0) version_text += ", CUDA " + std::to_string(cuda / 1000) + "." + std::to_string(cuda % 1000 / 10);
        const std::string none = why_no_card();
        if (!none.empty()) version_text += ", no card: " + none;
    }
    version_text += kernels_in_use();
    return version_text.c_str();
}

void describe(sgd_description *to, const std::string &name, const std::string &model, int64_t memory,
              int64_t free_memory) {
    std::memset(to, 0, sizeof *to);
    std::strncpy(to->name, name.c_str(), sizeof to->name - 1);
    std::strncpy(to->model, model.c_str(), sizeof to->model - 1);
    to->memory = memory;
    to->free_memory = free_memory;
}

int64_t devices(sgd_description *list, int64_t room) {
    int64_t found = 0;
    if (room > found) describe(list + found, "torch-cpu", "LibTorch on this machine's processor", 0, 0);
    found++;
    const int64_t cards = at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0;
    for (int64_t card = 0; card < cards; card++, found++) {
        if (found >= room) continue;
        int64_t memory = 0, left = 0;
        guarded([&] {
            const auto [of_card, all] = at::accelerator::getMemoryInfo(static_cast<c10::DeviceIndex>(card));
            left = static_cast<int64_t>(of_card);
            memory = static_cast<int64_t>(all);
            return 0;
        }, 0);
        const std::string model = at::globalContext().hasROCM() ? "ROCm card " + std::to_string(card)
                                                                : model_of_card(static_cast<int>(card));
        describe(list + found, "cuda:" + std::to_string(card), model, memory, left);
    }
    return found;
}

int open(const char *name, int32_t threads) {
    return guarded([&] {
        const c10::Device wanted(name);
        if (wanted.is_cuda()) {
            if (!is_built_with_cuda()) throw std::runtime_error("this torch was built without CUDA");
            const std::string none = why_no_card();
            if (!none.empty()) throw std::runtime_error("there is no card that this torch can use: " + none +
                                         "; a card needs a driver that is as new as this torch's CUDA");
            const int cards = at::detail::getCUDAHooks().getNumGPUs();
            if (wanted.has_index() && wanted.index() >= cards)
                throw std::runtime_error("there are " + std::to_string(cards) + " CUDA cards, numbered from 0");
        }
        if (threads > 0) at::set_num_threads(threads);
        compute_floats_in(false);
        device = wanted.is_cuda() && !wanted.has_index() ? c10::Device(c10::kCUDA, 0) : wanted;
        turn_to_device();
        at::zeros({1}, floats()).item<float>();  // fails here, with a reason, where the device cannot be used
        prepare_kernels();
        prepare_recording();
        return 0;
    }, 1);
}

int memory(int64_t *in_use, int64_t *peak, int reset) {
    *in_use = bytes_in_use.load();
    *peak = peak_bytes.load();
    if (reset) peak_bytes.store(*in_use);
    return 0;
}

int synchronize() {
    return guarded([] { if (!device.is_cpu()) at::accelerator::synchronizeDevice(device.index()); return 0; }, 1);
}

// TF32 and bfloat16 came with the cards of compute capability 8.
int has_precision(int32_t wanted) {
    return guarded([&] {
        if (wanted == SGD_FP32) return 1;
        if (!device.is_cuda() || at::globalContext().hasROCM()) return wanted == SGD_BF16 ? 1 : 0;
        const Driver driver;
        int card = 0;
        driver.check("cuDeviceGet", driver.card(&card, device.index()));
        return (wanted == SGD_TF32 || wanted == SGD_BF16) && driver.capability(card).first >= 8 ? 1 : 0;
    }, 0);
}

int set_precision(int32_t wanted) {
    return guarded([&] {
        if (!has_precision(wanted)) throw std::runtime_error("this device has no such precision");
        compute_floats_in(wanted == SGD_TF32);
        precision = wanted;
        return 0;
    }, 1);
}

sgd_tensor *upload(const float *values, int64_t count) {
    return made([&] { return brought(values, {count}, at::kFloat, at::kFloat); });
}
int download(const sgd_tensor *x, float *values, int64_t count) {
    return done([&] {
        if (is_recording()) throw std::runtime_error("numbers of the device are read");
        at::from_blob(values, {count}, at::kFloat).copy_(x->t.view({-1}));
    });
}
sgd_tensor *fill(float value, int64_t count) { return made([&] { return at::full({count}, value, floats()); }); }
int copy(sgd_tensor *to, const sgd_tensor *from) { return done([&] { to->t.copy_(from->t); }); }
int copies(const sgd_tensor *const *x, int64_t count, sgd_tensor **copies) {
    return done([&] {
        std::vector<Tensor> from, to;
        for (int64_t i = 0; i < count; i++) {
            from.push_back(x[i]->t);
            to.push_back(at::empty_like(x[i]->t));
        }
        if (count > 0) at::_foreach_copy_(to, from);
        for (int64_t i = 0; i < count; i++) copies[i] = give(to[i]);
    });
}
void release(sgd_tensor *x) {
    bytes_in_use.fetch_sub(x->t.numel() * 4);
    delete x;
}
}  // namespace

Inside::Inside() {
    if (depth == 0 && !is_alone) {
        if (is_alone_wanted) const std::lock_guard<std::mutex> until_done(turns);
        entrance.lock_shared();
        try {
            turn_to_device();
        } catch (...) {
            entrance.unlock_shared();
            throw;
        }
    }
    depth++;
}
Inside::~Inside() {
    depth--;
    if (depth == 0 && !is_alone) entrance.unlock_shared();
}
void Inside::be_alone() {
    if (depth > 0) entrance.unlock_shared();
    turns.lock();
    is_alone_wanted = true;
    entrance.lock();
    is_alone = true;
}
void Inside::be_among_others() {
    is_alone = false;
    entrance.unlock();
    is_alone_wanted = false;
    turns.unlock();
    if (depth > 0) entrance.lock_shared();
}

void fail(const std::string &reason) { problem = reason.substr(0, reason.find('\n')); }

sgd_tensor *give(const Tensor &t) {
    // A view of a larger buffer would keep all of it alive.
    auto own = t.contiguous().view({-1});
    if (own.scalar_type() != at::kFloat) own = own.to(at::kFloat);
    if (own.storage().nbytes() > static_cast<size_t>(own.numel()) * 4) own = own.clone();
    count(own.numel() * 4);
    return new sgd_tensor{own};
}
}  // namespace sgd

const sgd_table *sgmse_device_table(void) {
    using namespace sgd;
    static const sgd_table table = [] {
        sgd_table t{};
        t.abi = SGD_ABI;
        t.size = sizeof t;
        t.error = error;
        t.version = version;
        t.devices = devices;
        t.open = open;
        t.memory = memory;
        t.synchronize = synchronize;
        t.has_precision = has_precision;
        t.set_precision = set_precision;
        t.upload = upload;
        t.download = download;
        t.fill = fill;
        t.copy = copy;
        t.copies = copies;
        t.release = release;
        add_networks(&t);
        add_normalization(&t);
        add_elements(&t);
        add_spectra(&t);
        add_perceptual(&t);
        add_recording(&t);
        return t;
    }();
    return &table;
}
