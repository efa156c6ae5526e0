// Counts words: every different piece of text once, with how often it came.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace ft::text {

class Words {
public:
  Words();

  /// Counts `word` another `times`.
  void add(std::string_view word, uint64_t times);

  size_t size() const { return words.size(); }
  std::string_view word(size_t i) const { return {bytes.data() + words[i].begin, words[i].length}; }
  uint64_t count(size_t i) const { return words[i].count; }

private:
  struct Word {
    size_t begin; // in bytes
    uint64_t count;
    uint32_t length, hash;
  };

  void grow();

  std::vector<char> bytes;
  std::vector<Word> words;
  std::vector<uint32_t> table; // index of a word + 1, 0 where free; a power of two, at most half full
};

} // namespace ft::text
