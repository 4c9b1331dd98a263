// The kernels, compiled for base (4 floats a vector).
#define SG_VECTOR 4
#define SG_TABLE sg_table_base
#include "kernels.inc"
