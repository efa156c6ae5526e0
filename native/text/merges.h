// The merges of a tokenizer, and how they are applied to one piece of text.
#pragma once
#include <cstdint>
#include <vector>

namespace ft::text {

class Merges {
public:
  /// bytes[256]: the id of each byte, or -1: such a byte gives no token. merges: left, right and new id, by rank;
  /// of a pair that is there twice the last one counts.
  Merges(const int32_t *bytes, const int32_t *merges, int32_t count);

  /// What apply() works in; one for each thread.
  struct Workspace {
    struct Symbol {
      int32_t id;
      int32_t previous, next; // positions; -1: none
    };
    struct Candidate {
      uint32_t rank;
      int32_t position; // of the left symbol
      int32_t left, right;
    };
    std::vector<int32_t> ids;
    std::vector<uint32_t> ranks;
    std::vector<Symbol> symbols;
    std::vector<Candidate> queue;
  };

  /// Ids of a piece: again and again the pair of lowest rank is merged, the leftmost of equals first. Valid until the
  /// next call with the same workspace.
  const std::vector<int32_t> &apply(const char *begin, const char *end, Workspace &work) const;

private:
  static constexpr uint32_t NONE = UINT32_MAX;

  struct Entry {
    uint64_t pair;
    uint32_t rank; // NONE: the place is free
    int32_t id;
  };

  const Entry *find(int32_t left, int32_t right) const;
  uint32_t rank(int32_t left, int32_t right) const;
  void merge_short(Workspace &work) const;
  void merge_long(Workspace &work) const;
  bool append_candidate(Workspace &work, int32_t position) const;

  int32_t bytes[256];
  std::vector<Entry> table; // open addressing; a power of two, at most half full
  int shift;                // from a 64-bit hash to a place
};

} // namespace ft::text
