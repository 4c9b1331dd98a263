#include "sgkernels.h"
