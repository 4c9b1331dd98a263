#include "build_stamp.h"

/// The label by which `stamp` (scripts/common.sh) finds the place, and room for 80 bytes and their end. Volatile, so that
/// the compiler does not take the first contents for the only ones.
static volatile char place[18 + 81] = "sgmse-build-stamp:";

const char *sg_build_stamp(void) { return (const char *)place + 18; }
