// NVRTC by its C functions, declared here, so that no header of CUDA is needed to build this.
#include "compiler.h"
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>

namespace sgd {
namespace {
// kernels/kernels.cu.h as a string; scripts/torch-plugin writes it.
const char text[] =
#include "kernels.inc"
    ;

using Program = struct nvrtc_program *;
struct Compiler {
    int (*create)(Program *, const char *source, const char *name, int count, const char *const *headers,
                  const char *const *names);
    int (*compile)(Program, int count, const char *const *options);
    int (*destroy)(Program *);
    int (*log_size)(Program, size_t *);
    int (*log)(Program, char *);
    int (*cubin_size)(Program, size_t *);
    int (*cubin)(Program, char *);
    int (*ptx_size)(Program, size_t *);
    int (*ptx)(Program, char *);
    const char *(*reason)(int);

    explicit Compiler(void *library) {
        find(library, "nvrtcCreateProgram", create);
        find(library, "nvrtcCompileProgram", compile);
        find(library, "nvrtcDestroyProgram", destroy);
        find(library, "nvrtcGetProgramLogSize", log_size);
        find(library, "nvrtcGetProgramLog", log);
        find(library, "nvrtcGetCUBINSize", cubin_size);
        find(library, "nvrtcGetCUBIN", cubin);
        find(library, "nvrtcGetPTXSize", ptx_size);
        find(library, "nvrtcGetPTX", ptx);
        find(library, "nvrtcGetErrorString", reason);
    }

    void check(int code) const {
        if (code != 0) throw std::runtime_error(std::string("NVRTC: ") + reason(code));
    }
};

// NVRTC looks for its own second library by name, on the loader's path alone: what lies beside it is loaded first.
void *with_builtins(void *library) {
    Dl_info place{};
    if (!dladdr(dlsym(library, "nvrtcCreateProgram"), &place) || !place.dli_fname) return library;
    std::error_code ignored;
    for (const auto &file : std::filesystem::directory_iterator(
             std::filesystem::canonical(place.dli_fname, ignored).parent_path(), ignored))
        if (file.path().filename().string().rfind("libnvrtc-builtins.so", 0) == 0)
            dlopen(file.path().c_str(), RTLD_NOW | RTLD_GLOBAL);
    return library;
}

void *nvrtc(const std::vector<std::string> &folders) {
    if (const char *named = std::getenv("SGMSE_NVRTC"); named && *named) {
        void *library = opened_library({named});
        if (!library) throw std::runtime_error(std::string("SGMSE_NVRTC names what cannot be opened: ") + named);
        return with_builtins(library);
    }
    const std::vector<std::string> names = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"};
    // Torch's own comes first where it is loaded: another one may be newer than the driver.
    for (const auto &name : names)
        if (void *library = dlopen(name.c_str(), RTLD_NOW | RTLD_NOLOAD)) return with_builtins(library);
    std::vector<std::string> paths = names;
    for (const auto &folder : folders)
        for (const auto &name : names) paths.push_back(folder + "/" + name);
    void *library = opened_library(paths);
    if (!library) throw std::runtime_error("there is no libnvrtc; SGMSE_NVRTC may name one");
    return with_builtins(library);
}
}  // namespace

void *opened_library(const std::vector<std::string> &paths) {
    for (const auto &path : paths)
        if (void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    return nullptr;
}

std::string compiled_kernels(const std::string &architecture, const std::vector<std::string> &folders) {
    const Compiler with(nvrtc(folders));
    Program program = nullptr;
    with.check(with.create(&program, text, "kernels.cu", 0, nullptr, nullptr));
    struct Owner {
        const Compiler &with;
        Program &program;
        ~Owner() { with.destroy(&program); }
    } owner{with, program};
    const std::string of_architecture = "--gpu-architecture=" + architecture;
    const char *options[] = {of_architecture.c_str(), "--std=c++17"};
    if (const int code = with.compile(program, 2, options)) {
        size_t size = 0;
        std::string log;
        if (with.log_size(program, &size) == 0 && size > 1) {
            log.resize(size);
            with.log(program, log.data());
            log = log.substr(0, log.find_first_of(std::string("\n\0", 2)));
        }
        throw std::runtime_error("NVRTC for " + architecture + ": " + (log.empty() ? with.reason(code) : log));
    }
    const bool real = architecture.compare(0, 3, "sm_") == 0;
    size_t size = 0;
    with.check(real ? with.cubin_size(program, &size) : with.ptx_size(program, &size));
    std::string image(size, '\0');
    with.check(real ? with.cubin(program, image.data()) : with.ptx(program, image.data()));
    return image;
}
}  // namespace sgd
