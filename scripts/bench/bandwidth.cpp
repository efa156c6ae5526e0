// How fast this machine reads memory: what bounds the decoding of one sequence, which reads all weights for each token.
#include <sys/mman.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

/// Eight sums, so that no addition waits for the one before it.
uint64_t sum_of(const uint64_t *from, const uint64_t *to) {
  uint64_t sums[8] = {};
  for (; from + 8 <= to; from += 8)
    for (int i = 0; i < 8; i++) sums[i] += from[i];
  uint64_t all = 0;
  for (const auto sum : sums) all += sum;
  return all;
}

} // namespace

extern "C" {

/// Bytes a second that some threads read together, each its own part of an array of 1.5 GB, in large pages as packed
/// weights are; made by the first call and kept.
__attribute__((visibility("default"))) double bytes_per_second(int32_t threads) {
  constexpr int64_t COUNT = 1'500'000'000 / sizeof(uint64_t);
  static const uint64_t *numbers = [] {
    constexpr size_t PAGE = 1 << 21, SIZE = (COUNT * sizeof(uint64_t) + PAGE - 1) / PAGE * PAGE;
    auto *made = static_cast<uint64_t *>(std::aligned_alloc(PAGE, SIZE));
    madvise(made, SIZE, MADV_HUGEPAGE);
    for (int64_t i = 0; i < COUNT; i++) made[i] = (uint64_t)i; // its pages are there from now on
    return made;
  }();
  static volatile uint64_t result; // else there is nothing to compute
  std::vector<std::thread> readers;
  const auto start = std::chrono::steady_clock::now();
  for (int32_t t = 0; t < threads; t++)
    readers.emplace_back([threads, t] {
      result = sum_of(numbers + COUNT * t / threads, numbers + COUNT * (t + 1) / threads);
    });
  for (auto &reader : readers) reader.join();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return COUNT * sizeof(uint64_t) / taken.count();
}
}
