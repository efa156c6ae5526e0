// The C++ side of `deno task bench ffi`: the same ops on the same libtorch in the same process. ffi.ts builds it.
#include <ATen/ATen.h>

#include <chrono>

extern "C" {

__attribute__((noinline)) int32_t nothing() {
  asm volatile("");
  return 1;
}

/// Nanoseconds that one op takes, over `times` of them in a loop: 0 a call that does nothing, 1 add, 2 linear.
__attribute__((visibility("default"))) double nanoseconds(int32_t op, int32_t times) {
  const auto a = at::randn({8}), b = at::randn({8});
  const auto x = at::randn({1, 128}), weight = at::randn({128, 128});
  const auto start = std::chrono::steady_clock::now();
  switch (op) {
  case 0:
    for (int32_t i = 0; i < times; i++) nothing();
    break;
  case 1:
    for (int32_t i = 0; i < times; i++) at::add(a, b);
    break;
  case 2:
    for (int32_t i = 0; i < times; i++) at::linear(x, weight);
    break;
  }
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
  return taken.count() / times;
}
}
