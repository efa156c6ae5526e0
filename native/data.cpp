// Blocks of tokens from mapped shards, with the targets of every head; the next ones are gathered on a thread of their
// own while the step runs.
#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <sstream>

#include "guard.h"
#include "shards.h"

namespace ft {
namespace {

constexpr int64_t IGNORED = -1;

/// Which blocks: row r starts at token start[r] of shard[r].
struct Request {
  std::vector<int32_t> shard;
  std::vector<double> start;
  int64_t length, heads;
  bool predict_first;

  int64_t rows() const { return (int64_t)shard.size(); }
  bool operator==(const Request &) const = default;
};

struct Batch {
  at::Tensor inputs, targets; // (rows, length), (heads, rows, length)
  std::vector<double> counts; // valid targets of each head, then the text bytes among those of head 1
};

struct ShardSet {
  Vocabulary vocabulary;
  std::vector<std::unique_ptr<Shard>> shards;

  /// What is gathered ahead; the last member, so that it is waited for before the shards go.
  struct Ahead {
    Request request;
    std::future<Batch> batch;
  };
  std::optional<Ahead> ahead;
};

std::vector<std::unique_ptr<ShardSet>> &sets = *new std::vector<std::unique_ptr<ShardSet>>();

ShardSet &set_at(ft_shards handle) {
  TORCH_CHECK(handle >= 0 && handle < (int32_t)sets.size() && sets[handle], "the shards are closed");
  return *sets[handle];
}

const Shard &shard_at(const ShardSet &set, int32_t shard) {
  TORCH_CHECK(shard >= 0 && shard < (int32_t)set.shards.size(), "there is no shard ", shard);
  return *set.shards[shard];
}

/// A row's targets of one head: those `ahead` tokens on, inside documents. Returns how many there are.
int64_t fill_targets(const int64_t *ids, const std::vector<int64_t> &ends, int64_t length, int64_t ahead,
                     int64_t *targets) {
  int64_t valid = 0, begin = 0;
  for (auto end = ends.begin(); end != ends.end() && begin < length; begin = *end++) {
    const int64_t last = std::min(*end, length), known = std::clamp(*end - ahead, begin, last);
    std::copy(ids + begin + ahead, ids + known + ahead, targets + begin);
    std::fill(targets + known, targets + last, IGNORED);
    valid += known - begin;
  }
  return valid;
}

/// Adds the first token of each document as the target of the end token before it. Returns how many there are.
int64_t fill_firsts(const int64_t *ids, const std::vector<int64_t> &ends, int64_t length, int64_t *targets) {
  int64_t valid = 0;
  for (auto end = ends.begin(); end + 1 != ends.end() && *end <= length; ++end, ++valid) targets[*end - 1] = ids[*end];
  return valid;
}

/// Gathers into tensors that were made before: this runs on a thread beside the step, and the process may exit
/// meanwhile, so it leaves libtorch alone.
void fill(const ShardSet &set, const Request &request, int64_t *inputs, int64_t *targets, std::vector<double> &counts) {
  const int64_t rows = request.rows(), length = request.length, heads = request.heads;
  const auto &text_bytes = set.vocabulary.text_bytes;
  std::vector<int64_t> ids(length + heads), ends;
  for (int64_t r = 0; r < rows; r++) {
    const Shard &shard = shard_at(set, request.shard[r]);
    const int64_t first = (int64_t)request.start[r], known = std::min(length + heads, shard.tokens() - first);
    TORCH_CHECK(first >= 0 && known >= length, "a block of ", length, " tokens at ", first, " of a shard of ",
                shard.tokens());
    shard.read(set.vocabulary, first, known, ids.data(), ends);
    std::copy_n(ids.begin(), length, inputs + r * length);
    for (int64_t i = 1; i <= heads; i++) {
      auto *row = targets + ((i - 1) * rows + r) * length;
      int64_t valid = fill_targets(ids.data(), ends, length, i, row);
      if (i == 1) {
        if (request.predict_first) valid += fill_firsts(ids.data(), ends, length, row);
        int64_t bytes = 0;
        for (int64_t t = 0; t < length; t++) bytes += row[t] < 0 ? 0 : text_bytes[row[t]];
        counts[heads] += (double)bytes;
      }
      counts[i - 1] += (double)valid;
    }
  }
}

Batch empty_batch(const Request &request) {
  return {at::empty({request.rows(), request.length}, at::kLong),
          at::empty({request.heads, request.rows(), request.length}, at::kLong),
          std::vector<double>(request.heads + 1)};
}

void fill(const ShardSet &set, const Request &request, Batch &batch) {
  fill(set, request, batch.inputs.data_ptr<int64_t>(), batch.targets.data_ptr<int64_t>(), batch.counts);
}

Batch gather(ShardSet &set, const Request &request) {
  if (set.ahead && set.ahead->request == request) {
    auto ahead = std::exchange(set.ahead, std::nullopt);
    return ahead->batch.get();
  }
  auto batch = empty_batch(request);
  fill(set, request, batch);
  return batch;
}

void gather_ahead(ShardSet &set, Request request) {
  set.ahead.reset(); // waits for it
  auto task = [&set, request, batch = empty_batch(request)]() mutable {
    fill(set, request, batch);
    return std::move(batch);
  };
  set.ahead = ShardSet::Ahead{std::move(request), std::async(std::launch::async, std::move(task))};
}

Request request_of(const int32_t *shard, const double *start, int32_t rows, int32_t length, int32_t heads,
                   int32_t predict_first) {
  TORCH_CHECK(rows >= 0 && length > 0 && heads > 0, "cannot gather ", rows, " rows of ", length, " tokens for ", heads,
              " heads");
  return {{shard, shard + rows}, {start, start + rows}, length, heads, predict_first != 0};
}

} // namespace
} // namespace ft

using namespace ft;

FT_EXPORT ft_shards ft_shards_open(const char *paths, int32_t token_bytes, int32_t offset, int32_t end_token,
                                   const int32_t *text_bytes, int32_t vocabulary) {
  return guard([&] {
    TORCH_CHECK(token_bytes == 1 || token_bytes == 2 || token_bytes == 4, "tokens of ", token_bytes, " bytes");
    TORCH_CHECK(end_token >= 0 && end_token < vocabulary, "the end token ", end_token,
                " is not in the vocabulary of ", vocabulary);
    auto set = std::make_unique<ShardSet>();
    set->vocabulary = {token_bytes, offset, end_token, {text_bytes, text_bytes + vocabulary}};
    std::istringstream lines(paths);
    for (std::string tokens, index; std::getline(lines, tokens);) {
      TORCH_CHECK(std::getline(lines, index), "a shard without an index: ", tokens);
      set->shards.push_back(std::make_unique<Shard>(tokens, index, token_bytes));
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
  return done([&] { *out = (double)shard_at(set_at(shards), shard).tokens(); });
}

/*
 * Row r of the result: out[0] (rows, length) holds the tokens from start[r] of shard[r] on; out[1] (heads, rows,
 * length) the targets, where head i (from 1) at position t has token t + i if that is of the same document, and -1 if
 * not. With predict_first, head 1 also has the first token of a document, at the end token before it. counts[heads +
 * 1]: valid targets of each head, then the text bytes among those of head 1. Takes what ft_shards_prefetch() gathered,
 * if that was asked for the same.
 */
FT_EXPORT int32_t ft_shards_gather(ft_shards shards, const int32_t *shard, const double *start, int32_t rows,
                                   int32_t length, int32_t heads, int32_t predict_first, ft_tensor *out,
                                   double *counts) {
  return done([&] {
    auto batch = gather(set_at(shards), request_of(shard, start, rows, length, heads, predict_first));
    std::copy(batch.counts.begin(), batch.counts.end(), counts);
    out[0] = own(std::move(batch.inputs));
    out[1] = own(std::move(batch.targets));
  });
}

/* Begins to gather what ft_shards_gather() will ask for next, which also reports what is wrong with it. */
FT_EXPORT int32_t ft_shards_prefetch(ft_shards shards, const int32_t *shard, const double *start, int32_t rows,
                                     int32_t length, int32_t heads, int32_t predict_first) {
  return done(
      [&] { gather_ahead(set_at(shards), request_of(shard, start, rows, length, heads, predict_first)); });
}
