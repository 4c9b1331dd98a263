// CUDA's driver by its C functions, declared here and found at run time, so that no header of CUDA is needed to build
// this, and no driver to load it.
#pragma once
#include <cstdint>
#include <string>

namespace sgd {
struct Driver {
    int (*start)(unsigned);
    int (*version)(int *);
    int (*card)(int *, int);
    int (*title)(char *, int length, int card);
    int (*attribute)(int *, int, int);
    int (*retain)(void **context, int);
    int (*context)(void **);
    int (*enter)(void *context);
    int (*load)(void **module, const void *image);
    int (*function)(void **, void *module, const char *name);
    int (*launch)(void *function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned shared,
                  void *stream, void **arguments, void **more);
    int (*name)(int, const char **);

    // Throws std::runtime_error with one line where there is none, or it finds no card.
    Driver();
    // Throws the driver's own word for an error.
    void check(const char *what, int code) const;
    // Of compute capability, such as {9, 0}.
    std::pair<int, int> capability(int card) const;
};

// A card's name, its compute capability, and the driver with the CUDA that it knows; without a driver "CUDA card 0".
std::string model_of_card(int index);
}  // namespace sgd
