// Mapping files, and reading a shard's token stream.
#include "shards.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "guard.h"

namespace ft {

Mapping::Mapping(const std::string &path) {
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

Mapping::~Mapping() {
  if (data_ != nullptr && data_ != MAP_FAILED) ::munmap(data_, bytes_);
}

Shard::Shard(const std::string &tokens, const std::string &index, int32_t token_bytes)
    : path_(tokens), file_(tokens), index_(index), token_bytes_(token_bytes) {
  TORCH_CHECK(index_.bytes() % sizeof(uint64_t) == 0 && index_.bytes() > 0, index, " is not a document index");
  const int64_t spoken_of = end_of(documents() - 1);
  TORCH_CHECK(file_.bytes() % token_bytes == 0 && spoken_of == text_tokens(), tokens, " holds ", file_.bytes(),
              " bytes and ", index, " speaks of ", spoken_of, " tokens of ", token_bytes);
  int64_t last = 0;
  for (int64_t j = 0; j < documents(); last = end_of(j++)) // else read() would leave the file
    TORCH_CHECK(last <= end_of(j), index, " goes back at document ", j);
}

namespace {

/// Tokens to ids; returns the largest id.
template <class Token> int64_t widen(const void *file, int64_t from, int64_t count, int64_t offset, int64_t *ids) {
  const auto *tokens = static_cast<const Token *>(file) + from;
  Token largest = 0;
  for (int64_t i = 0; i < count; i++) {
    largest = std::max(largest, tokens[i]);
    ids[i] = (int64_t)tokens[i] + offset;
  }
  return (int64_t)largest + offset;
}

} // namespace

void Shard::read(const Vocabulary &vocabulary, int64_t start, int64_t count, int64_t *ids,
                 std::vector<int64_t> &ends) const {
  const auto to_ids = token_bytes_ == 1 ? widen<uint8_t> : token_bytes_ == 2 ? widen<uint16_t> : widen<uint32_t>;
  ends.clear();
  int64_t document = end_tokens_before(start); // 0: the leading end token is a document of its own
  for (int64_t done = 0; done < count; document++) {
    const int64_t position = start + done, end = document == 0 ? 0 : end_of(document - 1) + document;
    const int64_t length = std::min(end - position, count - done);
    const int64_t largest = to_ids(file_.data(), position - document, length, vocabulary.offset, ids + done);
    TORCH_CHECK(length == 0 || largest < vocabulary.size(), path_, " holds the id ", largest,
                ", which is not in the vocabulary of ", vocabulary.size());
    done += length;
    if (done < count) ids[done++] = vocabulary.end;
    ends.push_back(done);
  }
}

/// 0 at the leading end token, then 1 + the documents that ended before.
int64_t Shard::end_tokens_before(int64_t position) const {
  if (position == 0) return 0;
  int64_t low = 0, high = documents(); // the first document whose end token is not before the position
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (end_of(middle) + middle + 1 < position)
      low = middle + 1;
    else
      high = middle;
  }
  return low + 1;
}

} // namespace ft
