// A recording on the processor, for tests of what uses recordings: each operation of torch that the thread asks for is
// noted with its tensors, and computed again in the same memory by every replay.
//
// As on a card, what is computed while something is recorded is worth nothing: results are set to NaN in the end, and
// what was written into older memory is taken back. As on a card, nothing may be read or brought meanwhile.
#pragma once
#include "graph.h"
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <functional>
#include <set>
#include <torch/library.h>

namespace sgd::emulation {
constexpr auto key = c10::DispatchKey::TESTING_ONLY_GenericMode;
using Stack = torch::jit::Stack;

// All tensors of a value: itself, or those of a list.
inline void tensors_in(const c10::IValue &value, std::vector<at::Tensor> &found) {
    if (value.isTensor()) {
        if (value.toTensor().defined()) found.push_back(value.toTensor());
    } else if (value.isTensorList()) {
        for (auto &t : value.toTensorVector()) found.push_back(t);
    }
}

class Emulated;
inline thread_local Emulated *current = nullptr;

class Emulated : public Graph {
public:
    void begin(Memory) override {
        current = this;
        c10::impl::tls_set_dispatch_key_included(key, true);
    }
    void end() override {
        stop();
        const c10::InferenceMode quiet;
        for (auto &[memory, before] : changed) memory.copy_(before);
        for (auto &t : fresh)
            if (t.is_floating_point()) t.fill_(std::numeric_limits<double>::quiet_NaN());
        changed.clear();
    }
    void replay() override {
        for (const auto &action : actions) action();
    }
    void reset() override {
        actions.clear();
        fresh.clear();
    }
    Memory memory() override { return {0, 0}; }

    void add(const std::function<void()> &action) { actions.push_back(action); }

    // Not within an InferenceMode, which would take the key up again at its end.
    static void stop() {
        current = nullptr;
        c10::impl::tls_set_dispatch_key_included(key, false);
    }

    // Computes an operation, and notes it.
    void call(const c10::OperatorHandle &operation, Stack *stack) {
        const c10::impl::ExcludeDispatchKeyGuard quiet(key);
        const auto &schema = operation.schema();
        if (schema.name() == "aten::item" || schema.name() == "aten::_local_scalar_dense")
            throw std::runtime_error("a number of the device is read");
        const size_t count = schema.arguments().size();
        const Stack inputs(stack->end() - static_cast<int64_t>(count), stack->end());
        std::vector<at::Tensor> older;
        for (size_t i = 0; i < count; i++) {
            std::vector<at::Tensor> found;
            tensors_in(inputs[i], found);
            const auto *alias = schema.arguments()[i].alias_info();
            if (alias && alias->isWrite())
                for (const auto &t : found) remember(t);
            older.insert(older.end(), found.begin(), found.end());
        }
        operation.callBoxed(stack);
        std::vector<at::Tensor> results;
        for (auto place = stack->end() - static_cast<int64_t>(schema.returns().size()); place != stack->end(); place++)
            tensors_in(*place, results);
        std::set<const void *> memory;
        for (const auto &t : older) memory.insert(t.storage().unsafeGetStorageImpl());
        std::vector<bool> is_new;
        for (const auto &t : results) {
            is_new.push_back(!memory.count(t.storage().unsafeGetStorageImpl()));
            if (is_new.back()) own(t);
        }
        if (schema.name().rfind("aten::empty", 0) == 0) return;
        actions.push_back([operation, inputs, results, is_new] {
            Stack again = inputs;
            operation.callBoxed(&again);
            std::vector<at::Tensor> values;
            for (const auto &value : again) tensors_in(value, values);
            if (values.size() != results.size()) throw std::logic_error(operation.schema().name() + " gave other results");
            for (size_t i = 0; i < results.size(); i++)
                if (is_new[i]) results[i].copy_(values[i]);
        });
    }

private:
    std::vector<std::function<void()>> actions;
    std::vector<at::Tensor> fresh;
    std::set<const void *> owned;
    std::vector<std::pair<at::Tensor, at::Tensor>> changed;

    void own(const at::Tensor &t) {
        fresh.push_back(t);
        owned.insert(t.storage().unsafeGetStorageImpl());
    }
    // Older memory that an operation is about to write.
    void remember(const at::Tensor &t) {
        if (owned.count(t.storage().unsafeGetStorageImpl())) return;
        for (const auto &[memory, before] : changed)
            if (memory.is_same(t)) return;
        changed.emplace_back(t, t.clone());
    }
};

inline void add(const std::function<void()> &action) {
    if (current) current->add(action);
}

inline void call(const c10::OperatorHandle &operation, c10::DispatchKeySet, Stack *stack) {
    if (current) current->call(operation, stack);
}
}  // namespace sgd::emulation
