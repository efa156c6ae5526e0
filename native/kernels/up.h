// Sizes in whole units.
#pragma once
#include <cstdint>

namespace ft {

/// The next multiple of `unit` from `size` on.
inline int64_t up(int64_t size, int64_t unit) { return (size + unit - 1) / unit * unit; }

} // namespace ft
