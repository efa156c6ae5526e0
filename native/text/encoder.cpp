// Encodes documents: a splitter, merges, a cache of pieces for each thread, and the whole tokens of ignore_merges.
#include <cstring>
#include <string>
#include <unordered_map>

#include "guard.h"
#include "merges.h"
#include "splitter.h"
#include "threads.h"

namespace ft::text {
namespace {

/// A piece of up to MAX_BYTES bytes as four numbers: the bytes, zeros, and in the last byte the length.
struct Key {
  static constexpr size_t MAX_BYTES = 31;
  uint64_t words[4] = {};

  Key() = default;
  Key(const char *begin, size_t length) {
    std::memcpy(words, begin, length);
    words[3] |= (uint64_t)length << 56;
  }
  bool operator==(const Key &) const = default;
  const char *begin() const { return (const char *)words; }
  const char *end() const { return begin() + (words[3] >> 56); }

  uint64_t hash() const {
    const uint64_t mixed = words[0] * 0x9e3779b97f4a7c15 ^ words[1] * 0xc2b2ae3d27d4eb4f ^
                           words[2] * 0x165667b19e3779f9 ^ words[3] * 0xd6e8feb86659fd93;
    return (mixed ^ mixed >> 32) * 0x9e3779b97f4a7c15;
  }
};

/// Ids of pieces seen lately. A piece has one place; what comes there later replaces it. So the size is bounded, and
/// nothing has to be counted or cleared. Pieces that give too many ids are not kept.
class Cache {
public:
  static constexpr size_t MAX_IDS = 7;

  struct alignas(64) Entry { // a cache line
    Key key;
    uint32_t ids[MAX_IDS];
    uint32_t count;
  };

  Cache() : entries(size_t{1} << BITS) {}

  /// Where a piece is, or would be.
  Entry &place(const Key &key) { return entries[key.hash() >> (64 - BITS)]; }

private:
  static constexpr int BITS = 16; // 4 MB
  std::vector<Entry> entries;
};

/// What one thread works with and what it made.
struct Worker {
  Cache cache;
  Merges::Workspace work;
  std::vector<uint32_t> ids;
  /// Short pieces whose places in the cache are on their way from memory: the last WAITING of the text.
  struct {
    Key key;
    Cache::Entry *entry;
  } waiting[8];
  uint32_t first = 0, count = 0; // of those that wait
};

constexpr uint32_t WAITING = std::size(decltype(Worker::waiting){});

/// Where a document's ids are.
struct Part {
  int32_t worker;
  size_t begin, end; // in the worker's ids
};

class Encoder : public Object {
public:
  Encoder(std::shared_ptr<Splitter> splitter, Merges merges, std::unordered_map<std::string, uint32_t> whole)
      : splitter(std::move(splitter)), merges(std::move(merges)), whole(std::move(whole)) {}

  void encode(const Documents &documents, int32_t threads, double *id_ends) {
    const int32_t count = workers_for(threads, documents.count);
    while ((int32_t)workers.size() < count) workers.push_back(std::make_unique<Worker>());
    parts.resize(documents.count);
    for_each_document(count, documents.count, [&](int32_t worker, int32_t i) {
      auto &ids = workers[worker]->ids;
      const size_t begin = ids.size();
      splitter->split(documents.begin(i), documents.end(i),
                      [&](const char *from, const char *to) { piece(from, to, *workers[worker]); });
      while (workers[worker]->count > 0) finish_first(*workers[worker]);
      parts[i] = {worker, begin, ids.size()};
    });
    double end = 0;
    for (int32_t i = 0; i < documents.count; i++) id_ends[i] = end += (double)(parts[i].end - parts[i].begin);
  }

  void take(uint32_t *out, double count) {
    size_t ids = 0;
    for (const auto &part : parts) ids += part.end - part.begin;
    if ((double)ids != count) throw std::invalid_argument("there are " + std::to_string(ids) + " ids");
    for (const auto &part : parts) {
      const auto &from = workers[part.worker]->ids;
      out = std::copy(from.begin() + part.begin, from.begin() + part.end, out);
    }
    forget();
  }

  /// Drops what an encode() made.
  void forget() {
    parts.clear();
    for (auto &worker : workers) {
      worker->ids.clear();
      worker->count = 0;
    }
  }

private:
  /// Takes a piece of the text; its ids come when later ones push it out of the line.
  void piece(const char *begin, const char *end, Worker &worker) const {
    const size_t length = end - begin;
    if (length > Key::MAX_BYTES) {
      while (worker.count > 0) finish_first(worker);
      return append(begin, end, worker);
    }
    if (worker.count == WAITING) finish_first(worker);
    auto &last = worker.waiting[(worker.first + worker.count++) % WAITING];
    last.key = Key(begin, length);
    last.entry = &worker.cache.place(last.key);
    __builtin_prefetch(last.entry);
  }

  /// Appends the ids of the piece that waits longest.
  void finish_first(Worker &worker) const {
    const auto &[key, entry] = worker.waiting[worker.first];
    worker.first = (worker.first + 1) % WAITING;
    worker.count--;
    const size_t before = worker.ids.size();
    if (entry->key == key) {
      worker.ids.insert(worker.ids.end(), entry->ids, entry->ids + entry->count);
      return;
    }
    append(key.begin(), key.end(), worker);
    const size_t count = worker.ids.size() - before;
    if (count > Cache::MAX_IDS) return;
    entry->key = key;
    std::copy(worker.ids.begin() + before, worker.ids.end(), entry->ids);
    entry->count = (uint32_t)count;
  }

  void append(const char *begin, const char *end, Worker &worker) const {
    if (!whole.empty()) {
      const auto found = whole.find(std::string(begin, end));
      if (found != whole.end()) return worker.ids.push_back(found->second);
    }
    const auto &ids = merges.apply(begin, end, worker.work);
    worker.ids.insert(worker.ids.end(), ids.begin(), ids.end());
  }

  std::shared_ptr<Splitter> splitter;
  Merges merges;
  std::unordered_map<std::string, uint32_t> whole; // by bytes
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<Part> parts;
};

} // namespace
} // namespace ft::text

using namespace ft::text;

FT_EXPORT int32_t ft_text_encoder(int32_t splitter, const int32_t *bytes, const int32_t *merges, int32_t merge_count,
                                  const uint8_t *whole, const int32_t *whole_ends, const int32_t *whole_ids,
                                  int32_t whole_count) {
  return guard([&] {
    std::unordered_map<std::string, uint32_t> tokens;
    tokens.reserve(whole_count);
    for (int32_t i = 0, start = 0; i < whole_count; start = whole_ends[i++])
      tokens.emplace(std::string((const char *)whole + start, whole_ends[i] - start), whole_ids[i]);
    return own(std::make_shared<Encoder>(get<Splitter>(splitter), Merges(bytes, merges, merge_count),
                                         std::move(tokens)));
  });
}

FT_EXPORT int32_t ft_text_encode(int32_t encoder, const uint8_t *text, const double *ends, int32_t documents,
                                 int32_t threads, double *id_ends) {
  return done([&] {
    const auto to = get<Encoder>(encoder);
    to->forget();
    to->encode(Documents(text, ends, documents), threads, id_ends);
  });
}

FT_EXPORT int32_t ft_text_take(int32_t encoder, uint32_t *out, double count) {
  return done([&] { get<Encoder>(encoder)->take(out, count); });
}
