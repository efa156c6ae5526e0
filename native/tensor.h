// Codes of dtypes and devices, shared by the files that take them.
#pragma once
#include <ATen/ATen.h>

#include <vector>

namespace ft {
at::ScalarType dtype_of(int32_t code);
at::Device device_of(int32_t code);
std::vector<int64_t> shape_of(const double *shape, int32_t dims);
} // namespace ft
