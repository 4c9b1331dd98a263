// The kernels' text, compiled for a card by NVRTC, which is looked for when it is needed.
#pragma once
#include <string>
#include <vector>

namespace sgd {
// A cubin for an architecture such as "sm_90", or PTX for one such as "compute_90".
// `folders`: where libnvrtc may be, after SGMSE_NVRTC and the loader's path. Throws std::runtime_error with one line.
std::string compiled_kernels(const std::string &architecture, const std::vector<std::string> &folders);

// What dlopen takes first, or null.
void *opened_library(const std::vector<std::string> &paths);

// A function of a library; throws where there is none.
template <class Function> void find(void *library, const char *name, Function *&function);
}  // namespace sgd

#include <dlfcn.h>
#include <stdexcept>
template <class Function> void sgd::find(void *library, const char *name, Function *&function) {
    function = reinterpret_cast<Function *>(dlsym(library, name));
    if (!function) throw std::runtime_error(std::string("there is no ") + name);
}
