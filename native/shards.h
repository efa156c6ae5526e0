// Token shards, memory-mapped.
//
// A shard is a file of tokens, its documents end to end, and an index of where each ends, in tokens (little-endian
// u64). Its token stream is END d1 END d2 END ... dn END: the end token in front serves as the start token. Token k of
// document j thus stands at k + j + 1 (j and k count from 0, k over the whole file).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ft {

/// A file mapped for reading.
class Mapping {
public:
  explicit Mapping(const std::string &path);
  Mapping(const Mapping &) = delete;
  ~Mapping();
  const void *data() const { return data_; }
  size_t bytes() const { return bytes_; }

private:
  void *data_ = nullptr;
  size_t bytes_ = 0;
};

/// What the tokens of a file stand for: a token of token_bytes (1, 2 or 4) has id token + offset.
struct Vocabulary {
  int32_t token_bytes;
  int64_t offset, end;
  std::vector<int32_t> text_bytes; ///< of each id; 0 for special ones

  int64_t size() const { return (int64_t)text_bytes.size(); }
};

class Shard {
public:
  Shard(const std::string &tokens, const std::string &index, int32_t token_bytes);

  int64_t documents() const { return (int64_t)(index_.bytes() / sizeof(uint64_t)); }
  /// Length of the stream.
  int64_t tokens() const { return 1 + text_tokens() + documents(); }

  /// The ids from `start` on, and into `ends` where in them documents end: behind each end token, and at `count`.
  /// Throws where an id is not in the vocabulary. Touches nothing but the files and the two arrays.
  void read(const Vocabulary &vocabulary, int64_t start, int64_t count, int64_t *ids, std::vector<int64_t> &ends) const;

private:
  int64_t text_tokens() const { return (int64_t)file_.bytes() / token_bytes_; }
  int64_t end_of(int64_t document) const {
    return (int64_t)static_cast<const uint64_t *>(index_.data())[document];
  }
  int64_t end_tokens_before(int64_t position) const;

  std::string path_;
  Mapping file_, index_;
  int32_t token_bytes_;
};

} // namespace ft
