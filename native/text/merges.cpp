// Applies merges: by scanning a short piece, with a queue for a long one.
#include "merges.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ft::text {
namespace {

/// Up to so many symbols scanning beats the queue.
constexpr size_t SHORT = 48;

constexpr uint64_t pair_of(int32_t left, int32_t right) {
  return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

constexpr uint64_t hash(uint64_t pair) {
  pair *= 0x9e3779b97f4a7c15; // Fibonacci hashing
  return pair ^ pair >> 29;
}

/// A heap has its greatest in front: the lowest rank, and of equals the leftmost.
constexpr auto LATER = [](const Merges::Workspace::Candidate &a, const Merges::Workspace::Candidate &b) {
  return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
};

} // namespace

Merges::Merges(const int32_t *byte_ids, const int32_t *merges, int32_t count) {
  std::copy(byte_ids, byte_ids + 256, bytes);
  const size_t places = std::bit_ceil((size_t)count * 2 + 2);
  shift = 64 - std::countr_zero(places);
  table.assign(places, {0, NONE, 0});
  for (int32_t i = 0; i < count; i++) {
    const uint64_t pair = pair_of(merges[3 * i], merges[3 * i + 1]);
    size_t at = hash(pair) >> shift;
    while (table[at].rank != NONE && table[at].pair != pair) at = (at + 1) & (places - 1);
    table[at] = {pair, (uint32_t)i, merges[3 * i + 2]};
  }
}

const Merges::Entry *Merges::find(int32_t left, int32_t right) const {
  const uint64_t pair = pair_of(left, right);
  for (size_t at = hash(pair) >> shift;; at = (at + 1) & (table.size() - 1)) {
    if (table[at].rank == NONE) return nullptr;
    if (table[at].pair == pair) return &table[at];
  }
}

uint32_t Merges::rank(int32_t left, int32_t right) const {
  const Entry *entry = find(left, right);
  return entry ? entry->rank : NONE;
}

const std::vector<int32_t> &Merges::apply(const char *begin, const char *end, Workspace &work) const {
  work.ids.clear();
  for (const char *at = begin; at != end; at++)
    if (const int32_t id = bytes[(uint8_t)*at]; id >= 0) work.ids.push_back(id);
  if (work.ids.size() > SHORT)
    merge_long(work);
  else if (work.ids.size() > 1)
    merge_short(work);
  return work.ids;
}

void Merges::merge_short(Workspace &work) const {
  auto &ids = work.ids;
  auto &ranks = work.ranks; // of the pair that begins at each symbol
  ranks.resize(ids.size());
  size_t pairs = ids.size() - 1;
  for (size_t i = 0; i < pairs; i++) ranks[i] = rank(ids[i], ids[i + 1]);
  while (pairs > 0) {
    const size_t best = std::min_element(ranks.begin(), ranks.begin() + pairs) - ranks.begin();
    if (ranks[best] == NONE) break;
    ids[best] = find(ids[best], ids[best + 1])->id;
    ids.erase(ids.begin() + best + 1);
    std::memmove(&ranks[best], &ranks[best + 1], (pairs - best - 1) * sizeof ranks[0]);
    pairs--;
    if (best > 0) ranks[best - 1] = rank(ids[best - 1], ids[best]);
    if (best < pairs) ranks[best] = rank(ids[best], ids[best + 1]);
  }
}

/// Appends the pair that begins at a symbol to the queue, if it can be merged; the queue is then no heap yet.
bool Merges::append_candidate(Workspace &work, int32_t position) const {
  const auto &left = work.symbols[position];
  if (left.next < 0) return false;
  const int32_t right = work.symbols[left.next].id;
  const uint32_t found = rank(left.id, right);
  if (found == NONE) return false;
  work.queue.push_back({found, position, left.id, right});
  return true;
}

void Merges::merge_long(Workspace &work) const {
  auto &symbols = work.symbols;
  const auto count = (int32_t)work.ids.size();
  symbols.resize(count);
  for (int32_t i = 0; i < count; i++) symbols[i] = {work.ids[i], i - 1, i + 1 < count ? i + 1 : -1};
  work.queue.clear();
  for (int32_t i = 0; i < count; i++) append_candidate(work, i);
  std::make_heap(work.queue.begin(), work.queue.end(), LATER);
  const auto consider = [&](int32_t at) {
    if (append_candidate(work, at)) std::push_heap(work.queue.begin(), work.queue.end(), LATER);
  };
  while (!work.queue.empty()) {
    std::pop_heap(work.queue.begin(), work.queue.end(), LATER);
    const auto [_, position, left, right] = work.queue.back();
    work.queue.pop_back();
    auto &symbol = symbols[position];
    // A symbol that was merged into its left neighbour has id -1; others may have grown since.
    if (symbol.id != left || symbol.next < 0 || symbols[symbol.next].id != right) continue;
    auto &merged = symbols[symbol.next];
    symbol.id = find(left, right)->id;
    symbol.next = merged.next;
    merged.id = -1;
    if (symbol.next >= 0) symbols[symbol.next].previous = position;
    if (symbol.previous >= 0) consider(symbol.previous);
    consider(position);
  }
  work.ids.clear();
  for (int32_t at = 0; at >= 0; at = symbols[at].next) work.ids.push_back(symbols[at].id);
}

} // namespace ft::text
