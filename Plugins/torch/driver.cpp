#include "driver.h"
#include "compiler.h"
#include <fstream>

namespace sgd {
Driver::Driver() {
    void *library = opened_library({"libcuda.so.1"});
    if (!library) throw std::runtime_error("there is no libcuda.so.1");
    find(library, "cuInit", start);
    find(library, "cuDriverGetVersion", version);
    find(library, "cuDeviceGet", card);
    find(library, "cuDeviceGetName", title);
    find(library, "cuDeviceGetAttribute", attribute);
    find(library, "cuDevicePrimaryCtxRetain", retain);
    find(library, "cuCtxGetCurrent", context);
    find(library, "cuCtxSetCurrent", enter);
    find(library, "cuModuleLoadData", load);
    find(library, "cuModuleGetFunction", function);
    find(library, "cuLaunchKernel", launch);
    find(library, "cuGetErrorName", name);
    check("cuInit", start(0));
}

void Driver::check(const char *what, int code) const {
    if (code == 0) return;
    const char *text = nullptr;
    if (name(code, &text) != 0 || !text) text = "an unknown error";
    throw std::runtime_error(std::string(what) + ": " + text);
}

std::pair<int, int> Driver::capability(int card) const {
    int major = 0, minor = 0;
    check("cuDeviceGetAttribute", attribute(&major, 75, card));
    check("cuDeviceGetAttribute", attribute(&minor, 76, card));
    return {major, minor};
}

std::string model_of_card(int index) {
    try {
        const Driver driver;
        int card = 0, cuda = 0;
        char name[96] = {};
        driver.check("cuDeviceGet", driver.card(&card, index));
        driver.check("cuDeviceGetName", driver.title(name, sizeof name - 1, card));
        driver.check("cuDriverGetVersion", driver.version(&cuda));
        const auto [major, minor] = driver.capability(card);
        std::string release;  // such as 550.54.15, where Linux tells
        std::getline(std::ifstream("/sys/module/nvidia/version"), release);
        return std::string(name) + ", compute capability " + std::to_string(major) + "." + std::to_string(minor) +
               ", driver " + (release.empty() ? "" : release + " ") + "for CUDA up to " + std::to_string(cuda / 1000) +
               "." + std::to_string(cuda % 1000 / 10);
    } catch (const std::exception &) {
        return "CUDA card " + std::to_string(index);
    }
}
}  // namespace sgd
