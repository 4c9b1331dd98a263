// What all parts of the plugin share: tensors behind handles, errors as text, and views of dense buffers.
#pragma once
#include "sgdevice.h"
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <functional>
#include <stdexcept>

extern "C" __attribute__((visibility("default"))) const sgd_table *sgmse_device_table(void);

struct sgd_tensor {
    at::Tensor t;  // dense, float32, one axis
};

namespace sgd {
using at::Tensor;

// The device that everything runs on; chosen once by open().
extern c10::Device device;

// How products are computed: SGD_FP32, SGD_TF32 or SGD_BF16; chosen by set_precision().
extern int32_t precision;

// An operand of a product, rounded to bfloat16 where products are computed so; results are fp32 again.
inline Tensor factor(const Tensor &t) { return precision == SGD_BF16 ? t.to(at::kBFloat16) : t; }
inline Tensor whole(const Tensor &t) { return t.scalar_type() == at::kFloat ? t : t.to(at::kFloat); }

// Keeps the reason of a failure for error(), in one line.
void fail(const std::string &reason);

// A handle of its own for a dense tensor, whose bytes are counted.
sgd_tensor *give(const Tensor &t);

inline at::TensorOptions floats() { return at::TensorOptions(at::kFloat).device(device); }
inline at::TensorOptions doubles() { return at::TensorOptions(at::kDouble).device(device); }

// Whether the calling thread's operations are recorded, not computed.
bool is_recording();
// Ends the calling thread's recording, which something that cannot be recorded has spoilt; false where there is none.
bool spoil_recording(const std::string &reason);

// A call of the table. While one thread records it is alone there: what others ask of a card could spoil its recording.
class Inside {
public:
    Inside();
    ~Inside();
    Inside(const Inside &) = delete;
    // Waits until all others have left; from then on they wait, until be_among_others().
    static void be_alone();
    static void be_among_others();
};

// Runs `body`; what it throws becomes the reason of the failure, and `bad` the result. What a recording does not take
// ends the recording, and is computed.
template <class Body, class Result> Result guarded(Body body, Result bad) {
    for (;;) {
        try {
            const Inside here;
            return body();
        } catch (const std::exception &e) {
            if (spoil_recording(e.what())) continue;
            fail(e.what());
            return bad;
        }
    }
}

// A tensor that `body` makes, without a record for gradients.
template <class Body> sgd_tensor *made(Body body) {
    return guarded([&] { c10::InferenceMode quiet; return give(body()); }, static_cast<sgd_tensor *>(nullptr));
}

// An action of `body` without a record for gradients; 0, or 1 where it failed.
template <class Body> int done(Body body) {
    return guarded([&] { c10::InferenceMode quiet; body(); return 0; }, 1);
}

// A dense copy: no two handles may share memory, because some operations write in place.
inline Tensor copied(const Tensor &t) { return t.clone(at::MemoryFormat::Contiguous); }

// The list of axes that a reduction takes.
inline at::OptionalIntArrayRef axes(std::initializer_list<int64_t> list) {
    return at::IntArrayRef(list.begin(), list.size());
}

// Numbers of the host on the device. A card is not waited for: it takes them from memory that is kept for it.
template <class Number>
Tensor brought(const Number *values, at::IntArrayRef shape, at::ScalarType from, at::ScalarType to) {
    if (is_recording()) throw std::runtime_error("numbers of the host are brought to the device");
    const auto here = at::from_blob(const_cast<Number *>(values), shape, from);
    return device.is_cuda() ? here.to(to).pin_memory().to(device, /*non_blocking=*/true)
                            : here.to(device, to, /*non_blocking=*/false, /*copy=*/true);
}
// The same for numbers that are asked for again and again, such as filters' taps: brought once.
Tensor constant(const float *values, int64_t count);
Tensor constant(const int64_t *values, int64_t count);

// A dense [B, H, W, C] buffer as the [B, C, H, W] view that cuDNN and oneDNN take for channels last.
inline Tensor map(const Tensor &t, int64_t b, int64_t h, int64_t w, int64_t c) {
    return t.view({b, h, w, c}).permute({0, 3, 1, 2});
}
// The buffer of such a view.
inline Tensor dense(const Tensor &nchw) { return nchw.permute({0, 2, 3, 1}).contiguous().view({-1}); }

Tensor activated(const Tensor &x, int32_t activation);
Tensor activation_gradient(const Tensor &x, const Tensor &dy, int32_t activation);
// The rows of a source before its affine map, and after it as [B, pixels, C].
Tensor raw_rows(const sgd_source *s, int64_t rows);
// `rounded`: in bfloat16 where that costs nothing, because a product is to read it.
Tensor read_source(const sgd_source *s, int64_t batch, int64_t pixels, bool rounded = false);

// The memory of a tensor for a kernel, null for none; throws torch's error where it has another number of values.
inline float *values_of(const sgd_tensor *x, int64_t count) {
    return x ? x->t.view({count}).data_ptr<float>() : nullptr;
}

// Own kernels, compiled at run time: chosen by open(), for a card where they compile, load and agree with ATen.
class Launcher;
void prepare_kernels();
const char *kernels_in_use();  // for version()
// Runs `body` with them; false where there are none, or where they failed, and ATen has to do it.
bool with_kernels(const std::function<void(Launcher &)> &body);
// What an emulated recording does again beside torch's operations.
void record_beside(const std::function<void()> &action);

// Whether the open device records: where torch can, and a small recording computes what it should.
void prepare_recording();

// The parts of the table.
void add_networks(sgd_table *table);
void add_normalization(sgd_table *table);
void add_elements(sgd_table *table);
void add_spectra(sgd_table *table);
void add_perceptual(sgd_table *table);
void add_recording(sgd_table *table);
}  // namespace sgd
