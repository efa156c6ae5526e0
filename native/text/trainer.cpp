// Trains merges on counted words.
//
// The rule is that of the public `tokenizers` trainer, merge for merge: the pair that comes most often, and of equals
// the one with the smaller ids (left first), until there are enough tokens or no pair is left. No two pairs make the same
// token: a merge is made everywhere at once, so bytes that none has joined to others are cut alike wherever they stand.
#include <algorithm>
#include <queue>
#include <string>

#include "guard.h"
#include "pairs.h"
#include "splitter.h"
#include "threads.h"
#include "words.h"

namespace ft::text {
namespace {

/// A pair that may be merged next. Its count may be out of date: too high, never too low.
struct Candidate {
  int64_t count;
  Pair pair;
  uint32_t index;    // of the pair
  size_t begin, end; // the words to look at, in `places`

  bool operator<(const Candidate &other) const { // a heap has its greatest in front
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Trainer : public Object {
public:
  Trainer(std::shared_ptr<Splitter> splitter, const int32_t *byte_ids, int32_t first)
      : splitter(std::move(splitter)), bytes(byte_ids, byte_ids + 256), first(first) {}

  /// Counts the words of documents.
  void count(const Documents &documents, int32_t threads) {
    const int32_t workers = workers_for(threads, documents.count);
    if ((int32_t)counted.size() < workers) counted.resize(workers);
    for_each_document(workers, documents.count, [&](int32_t worker, int32_t i) {
      splitter->split(documents.begin(i), documents.end(i), [&](const char *from, const char *to) {
        counted[worker].add({from, (size_t)(to - from)}, 1);
      });
    });
  }

  int32_t train(int32_t tokens) {
    read_words();
    while (merges.size() < (size_t)tokens && !queue.empty()) {
      Candidate best = queue.top();
      queue.pop();
      if (best.count != counts[best.index]) {
        best.count = counts[best.index];
        if (best.count > 0) queue.push(best);
        continue;
      }
      merge(best);
    }
    return (int32_t)merges.size();
  }

  void copy(int32_t *out, int32_t count) const {
    if ((size_t)count != merges.size()) throw std::invalid_argument("there are " + std::to_string(merges.size()));
    for (const Pair pair : merges) {
      *out++ = (int32_t)left_of(pair);
      *out++ = (int32_t)right_of(pair);
    }
  }

private:
  /// A word as the tokens that it is made of at the moment.
  struct Word {
    size_t begin; // in `symbols`
    uint32_t length;
    int64_t count;
  };
  /// A word that has got a pair.
  struct Seen {
    uint32_t pair, word;
  };

  void read_words() {
    if (is_trained) throw std::logic_error("this was trained already");
    is_trained = true;
    Words all = counted.empty() ? Words() : std::move(counted[0]);
    for (size_t i = 1; i < counted.size(); i++)
      for (size_t word = 0; word < counted[i].size(); word++)
        all.add(counted[i].word(word), counted[i].count(word));
    counted.clear();
    for (size_t i = 0; i < all.size(); i++) {
      const auto text = all.word(i);
      words.push_back({symbols.size(), (uint32_t)text.size(), (int64_t)all.count(i)});
      for (const char byte : text) symbols.push_back(bytes[(uint8_t)byte]);
    }
    for (uint32_t i = 0; i < words.size(); i++) {
      const uint32_t *word = &symbols[words[i].begin];
      for (uint32_t at = 0; at + 1 < words[i].length; at++) change(pair_of(word[at], word[at + 1]), i, +1);
    }
    queue_seen();
  }

  /// Makes a token of a pair, wherever it is.
  void merge(const Candidate &best) {
    const auto id = (uint32_t)(first + merges.size());
    merges.push_back(best.pair);
    for (size_t i = best.begin; i < best.end; i++)
      merge_in(places[i], left_of(best.pair), right_of(best.pair), id);
    queue_seen();
  }

  void merge_in(uint32_t number, uint32_t left, uint32_t right, uint32_t id) {
    Word &word = words[number];
    uint32_t *text = &symbols[word.begin];
    uint32_t to = 0; // what is merged lies before
    for (uint32_t from = 0; from < word.length; from++) {
      if (!(text[from] == left && from + 1 < word.length && text[from + 1] == right)) {
        text[to++] = text[from];
        continue;
      }
      if (to > 0) {
        change(pair_of(text[to - 1], left), number, -1);
        change(pair_of(text[to - 1], id), number, +1);
      }
      text[to++] = id;
      from++;
      if (from + 1 < word.length) {
        change(pair_of(right, text[from + 1]), number, -1);
        change(pair_of(id, text[from + 1]), number, +1);
      }
    }
    word.length = to;
  }

  /// A pair comes once more, or once less, in a word.
  void change(Pair pair, uint32_t word, int sign) {
    const uint32_t index = pairs.of(pair);
    if (index == counts.size()) counts.push_back(0);
    counts[index] += sign * words[word].count;
    if (sign > 0) seen.push_back({index, word});
  }

  /// Queues the pairs that were seen since the last call, each with the words that have got it.
  void queue_seen() {
    // By pair, and by word within a pair, as they came; a word may have got a pair several times.
    const auto before = [](const Seen &a, const Seen &b) { return a.pair < b.pair; };
    std::stable_sort(seen.begin(), seen.end(), before);
    for (size_t i = 0; i < seen.size();) {
      const uint32_t index = seen[i].pair;
      const size_t begin = places.size();
      for (; i < seen.size() && seen[i].pair == index; i++)
        if (places.size() == begin || places.back() != seen[i].word) places.push_back(seen[i].word);
      if (counts[index] > 0) queue.push({counts[index], pairs[index], index, begin, places.size()});
    }
    seen.clear();
  }

  std::shared_ptr<Splitter> splitter;
  std::vector<int32_t> bytes; // id of each byte
  int32_t first;              // id of the first new token
  std::vector<Words> counted; // for each worker

  std::vector<uint32_t> symbols; // of all words
  std::vector<Word> words;
  PairIndex pairs;
  std::vector<int64_t> counts; // of each pair
  std::vector<Seen> seen;
  std::vector<uint32_t> places; // numbers of words, for the candidates: grows by at most two a merged symbol
  std::priority_queue<Candidate> queue;
  std::vector<Pair> merges; // merge i makes the token first + i
  bool is_trained = false;
};

} // namespace
} // namespace ft::text

using namespace ft::text;

FT_EXPORT int32_t ft_text_trainer(int32_t splitter, const int32_t *bytes, int32_t first) {
  return guard([&] {
    for (int byte = 0; byte < 256; byte++)
      if (bytes[byte] < 0 || bytes[byte] >= first) throw std::invalid_argument("a byte without an id");
    return own(std::make_shared<Trainer>(get<Splitter>(splitter), bytes, first));
  });
}

FT_EXPORT int32_t ft_text_count(int32_t trainer, const uint8_t *text, const double *ends, int32_t documents,
                                int32_t threads) {
  return done([&] { get<Trainer>(trainer)->count(Documents(text, ends, documents), threads); });
}

FT_EXPORT int32_t ft_text_train(int32_t trainer, int32_t tokens) {
  return guard([&] { return get<Trainer>(trainer)->train(tokens); });
}

FT_EXPORT int32_t ft_text_merges(int32_t trainer, int32_t *out, int32_t count) {
  return done([&] { get<Trainer>(trainer)->copy(out, count); });
}
