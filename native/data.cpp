// Byte shards, memory-mapped, and the gathering of blocks with the targets of every head.
//
// A shard is a file of text bytes, its documents end to end, and an index of where each ends (little-endian u64).
// Its token stream is END d1 END d2 END ... dn END: the end token in front serves as the start token. Byte k of
// document j thus stands at k + j + 1 (j and k count from 0, k over the whole file).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <sstream>

#include "guard.h"

namespace ft {
namespace {

constexpr int64_t END_TOKEN = 0, BYTE_OFFSET = 64, IGNORED = -1;

/// A file mapped for reading.
class Mapping {
public:
  explicit Mapping(const std::string &path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    TORCH_CHECK(file >= 0, "cannot open ", path, ": ", std::strerror(errno));
    struct stat status;
    const bool known = ::fstat(file, &status) == 0;
    bytes_ = known ? (size_t)status.st_size : 0;
    if (bytes_ > 0) data_ = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, file, 0);
    const int reason = errno;
    ::close(file);
    TORCH_CHECK(known && data_ != MAP_FAILED, "cannot map ", path, ": ", std::strerror(reason));
  }
  Mapping(const Mapping &) = delete;
  ~Mapping() {
    if (data_ != nullptr && data_ != MAP_FAILED) ::munmap(data_, bytes_);
  }
  const void *data() const { return data_; }
  size_t bytes() const { return bytes_; }

private:
  void *data_ = nullptr;
  size_t bytes_ = 0;
};

class Shard {
public:
  Shard(const std::string &text, const std::string &index) : text_(text), index_(index) {
    TORCH_CHECK(index_.bytes() % sizeof(uint64_t) == 0 && index_.bytes() > 0, index, " is not a document index");
    TORCH_CHECK(end_of(documents() - 1) == (int64_t)text_.bytes(), text, " holds ", text_.bytes(), " bytes and ",
                index, " speaks of ", end_of(documents() - 1));
    int64_t last = 0;
    for (int64_t j = 0; j < documents(); last = end_of(j++)) // else read() would leave the file
      TORCH_CHECK(last <= end_of(j), index, " goes back at document ", j);
  }

  int64_t documents() const { return (int64_t)(index_.bytes() / sizeof(uint64_t)); }
  int64_t tokens() const { return 1 + (int64_t)text_.bytes() + documents(); }

  /// Tokens from `start` on, and for each the number of end tokens before it: tokens of one document share it.
  void read(int64_t start, int64_t count, int64_t *ids, int64_t *document) const {
    int64_t j = document_at(start);
    for (int64_t p = start; p < start + count; p++) {
      *document++ = j;
      const bool ends = p == 0 || p == end_of(j - 1) + j; // the end token of document j - 1
      if (ends) {
        *ids++ = END_TOKEN;
        j++;
      } else {
        *ids++ = bytes()[p - j] + BYTE_OFFSET;
      }
    }
  }

private:
  const uint8_t *bytes() const { return static_cast<const uint8_t *>(text_.data()); }
  int64_t end_of(int64_t document) const {
    return (int64_t)static_cast<const uint64_t *>(index_.data())[document];
  }

  /// End tokens before position p: 0 at the leading one, then 1 + the documents that ended before.
  int64_t document_at(int64_t p) const {
    if (p == 0) return 0;
    int64_t low = 0, high = documents(); // the first document whose end token is not before p
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (end_of(middle) + middle + 1 < p)
        low = middle + 1;
      else
        high = middle;
    }
    return low + 1;
  }

  Mapping text_, index_;
};

using ShardSet = std::vector<std::unique_ptr<Shard>>;
std::vector<std::unique_ptr<ShardSet>> &sets = *new std::vector<std::unique_ptr<ShardSet>>();

const ShardSet &set_at(ft_shards handle) {
  TORCH_CHECK(handle >= 0 && handle < (int32_t)sets.size() && sets[handle], "the shards are closed");
  return *sets[handle];
}

const Shard &shard_at(ft_shards handle, int32_t shard) {
  const auto &set = set_at(handle);
  TORCH_CHECK(shard >= 0 && shard < (int32_t)set.size(), "there is no shard ", shard);
  return *set[shard];
}

} // namespace
} // namespace ft

using namespace ft;

FT_EXPORT ft_shards ft_shards_open(const char *paths) {
  return guard([&] {
    auto set = std::make_unique<ShardSet>();
    std::istringstream lines(paths);
    for (std::string text, index; std::getline(lines, text);) {
      TORCH_CHECK(std::getline(lines, index), "a shard without an index: ", text);
      set->push_back(std::make_unique<Shard>(text, index));
    }
    sets.push_back(std::move(set));
    return (int32_t)sets.size() - 1;
  });
}

FT_EXPORT int32_t ft_shards_close(ft_shards shards) {
  return done([&] {
    set_at(shards);
    sets[shards].reset();
  });
}

FT_EXPORT int32_t ft_shards_tokens(ft_shards shards, int32_t shard, double *out) {
  return done([&] { *out = (double)shard_at(shards, shard).tokens(); });
}

/*
 * Row r of the result: out[0] (rows, length) holds the tokens from start[r] of shard[r] on; out[1] (heads, rows, length)
 * the targets, where head i (from 1) at position t has token t + i if that is of the same document, and -1 if not. With
 * predict_first, head 1 also has the first token of a document, at the end token before it. counts[heads + 1]: valid
 * targets of each head, then the text bytes among those of head 1.
 */
FT_EXPORT int32_t ft_shards_gather(ft_shards shards, const int32_t *shard, const double *start, int32_t rows,
                                   int32_t length, int32_t heads, int32_t predict_first, ft_tensor *out,
                                   double *counts) {
  return done([&] {
    auto inputs = at::empty({rows, length}, at::kLong), targets = at::full({heads, rows, length}, IGNORED, at::kLong);
    auto *input = inputs.data_ptr<int64_t>(), *target = targets.data_ptr<int64_t>();
    std::fill(counts, counts + heads + 1, 0.0);
    std::vector<int64_t> ids(length + heads), document(length + heads);
    for (int32_t r = 0; r < rows; r++) {
      const Shard &source = shard_at(shards, shard[r]);
      const int64_t first = (int64_t)start[r], known = std::min<int64_t>(length + heads, source.tokens() - first);
      TORCH_CHECK(first >= 0 && known >= length, "a block of ", length, " tokens at ", first, " of a shard of ",
                  source.tokens());
      source.read(first, known, ids.data(), document.data());
      std::copy(ids.begin(), ids.begin() + length, input + (int64_t)r * length);
      for (int32_t i = 1; i <= heads; i++) {
        auto *row = target + ((int64_t)(i - 1) * rows + r) * length;
        for (int64_t t = 0; t < length && t + i < known; t++) {
          const bool first_token = i == 1 && predict_first && ids[t] == END_TOKEN;
          if (document[t + i] != document[t] && !first_token) continue;
          row[t] = ids[t + i];
          counts[i - 1]++;
          if (i == 1 && ids[t + i] != END_TOKEN) counts[heads]++;
        }
      }
    }
    out[0] = own(inputs);
    out[1] = own(targets);
  });
}
