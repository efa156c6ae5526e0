// How often each pair of neighbouring tokens comes.
#pragma once
#include <bit>
#include <cstdint>
#include <vector>

namespace ft::text {

/// Left and right id; pairs are ordered by left, then by right.
using Pair = uint64_t;

constexpr Pair pair_of(uint32_t left, uint32_t right) { return (Pair)left << 32 | right; }
constexpr uint32_t left_of(Pair pair) { return (uint32_t)(pair >> 32); }
constexpr uint32_t right_of(Pair pair) { return (uint32_t)pair; }

/// A number for each pair, from 0, in the order in which they were first seen.
class PairIndex {
public:
  PairIndex() : table(1 << 16) {}

  uint32_t of(Pair pair) {
    size_t at = place(pair);
    for (; table[at] != 0; at = (at + 1) & (table.size() - 1))
      if (pairs[table[at] - 1] == pair) return table[at] - 1;
    pairs.push_back(pair);
    table[at] = (uint32_t)pairs.size();
    if (pairs.size() * 2 > table.size()) grow();
    return (uint32_t)pairs.size() - 1;
  }

  Pair operator[](uint32_t index) const { return pairs[index]; }
  size_t size() const { return pairs.size(); }

private:
  size_t place(Pair pair) const {
    return pair * 0x9e3779b97f4a7c15 >> (64 - std::countr_zero(table.size())); // Fibonacci hashing
  }

  void grow() {
    table.assign(table.size() * 2, 0);
    for (size_t i = 0; i < pairs.size(); i++) {
      size_t at = place(pairs[i]);
      while (table[at] != 0) at = (at + 1) & (table.size() - 1);
      table[at] = (uint32_t)i + 1;
    }
  }

  std::vector<Pair> pairs;
  std::vector<uint32_t> table; // number + 1, 0 where free; a power of two, at most half full
};

} // namespace ft::text
