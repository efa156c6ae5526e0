// A hash table by open addressing; the bytes of all words lie in one piece.
#include "words.h"

#include <functional>
#include <stdexcept>

namespace ft::text {
namespace {

constexpr size_t FIRST_PLACES = 1 << 16;

} // namespace

Words::Words() : table(FIRST_PLACES) {}

void Words::add(std::string_view text, uint64_t times) {
  const auto hash = (uint32_t)std::hash<std::string_view>()(text);
  size_t at = hash & (table.size() - 1);
  for (; table[at] != 0; at = (at + 1) & (table.size() - 1)) {
    Word &known = words[table[at] - 1];
    if (known.hash == hash && word(table[at] - 1) == text) {
      known.count += times;
      return;
    }
  }
  if (words.size() + 1 >= UINT32_MAX / 2 || text.size() > UINT32_MAX) throw std::length_error("too many words");
  words.push_back({bytes.size(), times, (uint32_t)text.size(), hash});
  bytes.insert(bytes.end(), text.begin(), text.end());
  table[at] = (uint32_t)words.size();
  if (words.size() * 2 > table.size()) grow();
}

void Words::grow() {
  table.assign(table.size() * 2, 0);
  for (size_t i = 0; i < words.size(); i++) {
    size_t at = words[i].hash & (table.size() - 1);
    while (table[at] != 0) at = (at + 1) & (table.size() - 1);
    table[at] = (uint32_t)i + 1;
  }
}

} // namespace ft::text
