// Attention of a decoding step's few rows over cached keys and values, which it takes in first; without gradients. Two
// ways, as in decode.cpp, and each has its own layout of the cache.
#include <ATen/EmptyTensor.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "gemm.h"
#include "guard.h"
#include "kernels/cached.h"
#include "kernels/rows.h"
#include "kernels/up.h"

namespace ft {
namespace {

// Multiplications that are worth waking a second thread for.
constexpr int64_t A_THREAD = 1 << 17;

/// New rows, and where each of them stands.
struct Step {
  const at::Tensor &qkv; // (rows, (heads + 2 kv heads) * width)
  const at::Tensor &cos, &sin;
  const Place *places;
  int64_t heads, kv_heads, width;

  int64_t rows() const { return qkv.size(0); }
};

void check_places(const Step &step, int64_t sequences, int64_t capacity) {
  const int64_t positions = step.cos.size(0);
  for (int64_t r = 0; r < step.rows(); r++) {
    const auto &p = step.places[r];
    TORCH_CHECK(p.sequence >= 0 && p.sequence < sequences && p.slot >= 0 && p.slot < capacity && p.position >= 0 &&
                    p.position < positions && p.prefix >= 0 && p.limit() > 0 && p.limit() <= capacity && p.sees(p.slot),
                "row ", r, " cannot stand at slot ", p.slot, ", position ", p.position, " of sequence ", p.sequence,
                ": a cache of ", sequences, " sequences of ", capacity, " positions, and ", positions, " in the model");
    TORCH_CHECK(r == 0 || step.places[r - 1].sequence <= p.sequence, "rows must come sequence by sequence");
  }
}

/// The caches as the kernels have them: keys (sequences, kv heads, blocks, width, 16), values (sequences, kv heads,
/// positions, width rounded up).
struct Caches {
  at::Tensor keys, values;

  int64_t capacity() const { return values.size(2); }
  int64_t row() const { return values.size(3); }
  int64_t blocks() const { return keys.size(2); }
  float *key_block(int64_t sequence, int64_t g, int64_t slot) const {
    const int64_t block = (sequence * keys.size(1) + g) * blocks() + slot / KEY_BLOCK;
    return keys.data_ptr<float>() + block * keys.size(3) * KEY_BLOCK;
  }
  float *value_row(int64_t sequence, int64_t g, int64_t slot) const {
    return values.data_ptr<float>() + ((sequence * values.size(1) + g) * capacity() + slot) * row();
  }
};

/// Rotates the queries in place, and the keys on their way into the cache.
void take_in(const Step &step, const Caches &caches, float *qkv) {
  const int64_t W = step.width, H = step.heads, G = step.kv_heads, half = W / 2;
  const auto *cos = step.cos.const_data_ptr<float>(), *sin = step.sin.const_data_ptr<float>();
  at::parallel_for(0, step.rows(), 32, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; r++) {
      const auto &place = step.places[r];
      auto *vectors = qkv + r * (H + 2 * G) * W;
      row_kernels().rotate(vectors, vectors, cos + place.position * half, sin + place.position * half, H + G, W, 1);
      for (int64_t g = 0; g < G; g++) {
        const auto *key = vectors + (H + g) * W, *value = vectors + (H + G + g) * W;
        auto *block = caches.key_block(place.sequence, g, place.slot) + place.slot % KEY_BLOCK;
        for (int64_t w = 0; w < W; w++) block[w * KEY_BLOCK] = key[w];
        std::copy_n(value, W, caches.value_row(place.sequence, g, place.slot));
      }
    }
  });
}

/// Queries of one key and value head in one sequence, at most QUERIES_TOGETHER.
struct Together {
  int64_t row, count, g; // queries row * group + first ... in the order of rows, then of heads within the group
};

at::Tensor attend_by_rows(const Step &step, const Caches &caches) {
  const int64_t W = step.width, H = step.heads, G = step.kv_heads, group = H / G, rows = step.rows();
  auto *qkv = step.qkv.data_ptr<float>();
  take_in(step, caches, qkv);
  std::vector<Together> work;
  for (int64_t first = 0, last; first < rows; first = last) {
    for (last = first; last < rows && step.places[last].sequence == step.places[first].sequence;) last++;
    for (int64_t g = 0; g < G; g++)
      for (int64_t q = first * group; q < last * group; q += QUERIES_TOGETHER)
        work.push_back({q, std::min<int64_t>(QUERIES_TOGETHER, last * group - q), g});
  }
  at::Tensor out(at::detail::empty_cpu({rows, H * W}, at::kFloat));
  auto *mixed = out.data_ptr<float>();
  int64_t limit = 0;
  for (int64_t r = 0; r < rows; r++) limit = std::max(limit, step.places[r].limit());
  const int64_t stride = up(limit, 64);
  const float scale = 1.0f / std::sqrt((float)W);
  const int64_t grain = std::max<int64_t>(A_THREAD / (QUERIES_TOGETHER * 2 * limit * W), 1);
  at::parallel_for(0, (int64_t)work.size(), grain, [&](int64_t begin, int64_t end) {
    auto *scores = scratch(QUERIES_TOGETHER * stride);
    for (int64_t i = begin; i < end; i++) {
      const auto [first, count, g] = work[i];
      const float *queries[QUERIES_TOGETHER];
      const Place *places[QUERIES_TOGETHER];
      float *outs[QUERIES_TOGETHER];
      for (int64_t n = 0; n < count; n++) {
        const int64_t r = (first + n) / group, head = g * group + (first + n) % group;
        queries[n] = qkv + (r * (H + 2 * G) + head) * W;
        places[n] = step.places + r;
        outs[n] = mixed + (r * H + head) * W;
      }
      const int32_t sequence = places[0]->sequence;
      cached_kernels().attend(queries, places, (int)count, caches.key_block(sequence, g, 0),
                              caches.value_row(sequence, g, 0), outs, W, caches.row(), scale, scores, stride);
    }
  });
  return out;
}

/// A step's places as the ops need them, on the step's device: made once and used by every block of the model.
struct Indices {
  std::vector<Place> places;
  at::Device device = at::kCPU;
  int64_t all = 0, capacity = 0; // sequences of the cache, and slots of each

  at::Tensor position, slot; // (rows): of the rotary tables, and of the cache's rows
  at::Tensor padded, row;    // (sequences * most), (rows): rows to a rectangle and back; undefined: they are one already
  at::Tensor sequence;       // (sequences): the caches that take part; undefined: all, in order
  at::Tensor mask;           // (sequences, 1, most, longest); undefined: nothing is hidden, or all is causal
  int64_t sequences = 0, most = 0, longest = 0;
  bool causal = false;
};

at::Tensor to_device(const std::vector<int64_t> &numbers, at::Device device) {
  return at::tensor(numbers, at::kLong).to(device);
}

Indices indices_of(const Step &step, int64_t all, int64_t capacity) {
  Indices at;
  at.places.assign(step.places, step.places + step.rows());
  at.device = step.qkv.device();
  at.all = all;
  at.capacity = capacity;
  std::vector<int64_t> position, slot, starts, sequences;
  for (int64_t r = 0; r < step.rows(); r++) {
    const auto &p = at.places[r];
    position.push_back(p.position);
    slot.push_back(p.sequence * capacity + p.slot);
    if (r == 0 || p.sequence != at.places[r - 1].sequence) {
      starts.push_back(r);
      sequences.push_back(p.sequence);
    }
    at.most = std::max(at.most, r + 1 - starts.back());
    at.longest = std::max(at.longest, p.limit());
  }
  starts.push_back(step.rows());
  at.sequences = (int64_t)sequences.size();
  at.position = to_device(position, at.device);
  at.slot = to_device(slot, at.device);
  if (at.sequences != all) at.sequence = to_device(sequences, at.device);
  std::vector<int64_t> padded, row(step.rows());
  auto mask = at::zeros({at.sequences, 1, at.most, at.longest}, at::kBool);
  auto *sees = mask.data_ptr<bool>();
  bool hidden = false;
  at.causal = at.sequences == 1;
  for (int64_t s = 0; s < at.sequences; s++)
    for (int64_t n = 0; n < at.most; n++, sees += at.longest) {
      const int64_t r = std::min(starts[s] + n, starts[s + 1] - 1); // beyond its rows, its last one again
      if (starts[s] + n == r) row[r] = (int64_t)padded.size();
      padded.push_back(r);
      const auto &p = at.places[r];
      for (int64_t t = 0; t < at.longest; t++) {
        sees[t] = p.sees(t);
        hidden |= !sees[t];
      }
      at.causal &= p.branch == 0 && p.prefix == n + 1;
    }
  if ((int64_t)padded.size() != step.rows()) {
    at.padded = to_device(padded, at.device);
    at.row = to_device(row, at.device);
  }
  if (hidden && !at.causal) at.mask = mask.to(at.device);
  return at;
}

/// Those of the step before, where they are the same.
const Indices &indices_for(const Step &step, int64_t sequences, int64_t capacity) {
  static Indices &kept = *new Indices();
  const auto same = [](const Place &a, const Place &b) {
    return a.sequence == b.sequence && a.slot == b.slot && a.position == b.position && a.prefix == b.prefix &&
           a.branch == b.branch;
  };
  const bool current = kept.device == step.qkv.device() && kept.all == sequences && kept.capacity == capacity &&
                       std::equal(kept.places.begin(), kept.places.end(), step.places, step.places + step.rows(), same);
  if (!current) kept = indices_of(step, sequences, capacity);
  return kept;
}

at::Tensor rotated(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin) { // (rows, heads, width)
  const auto halves = x.chunk(2, -1);
  const auto c = cos.unsqueeze(1), s = sin.unsqueeze(1);
  return at::cat({halves[0] * c - halves[1] * s, halves[1] * c + halves[0] * s}, -1);
}

/// keys and values: (sequences, positions, kv heads, width).
at::Tensor attend_by_ops(const Step &step, const at::Tensor &keys, const at::Tensor &values) {
  const int64_t H = step.heads, G = step.kv_heads, W = step.width;
  const auto &at = indices_for(step, keys.size(0), keys.size(1));
  const auto cos = step.cos.index_select(0, at.position), sin = step.sin.index_select(0, at.position);
  const auto qkv = step.qkv.view({step.rows(), H + 2 * G, W});
  const auto turned = rotated(qkv.narrow(1, 0, H + G), cos, sin);
  keys.view({-1, G, W}).index_copy_(0, at.slot, turned.narrow(1, H, G));
  values.view({-1, G, W}).index_copy_(0, at.slot, qkv.narrow(1, H + G, G));
  const auto cached = [&](const at::Tensor &cache) { // (sequences, kv heads, longest, width)
    const auto taking_part = at.sequence.defined() ? cache.index_select(0, at.sequence) : cache;
    return taking_part.narrow(1, 0, at.longest).transpose(1, 2);
  };
  auto q = turned.narrow(1, 0, H);
  if (at.padded.defined()) q = q.index_select(0, at.padded);
  q = q.reshape({at.sequences, at.most, H, W}).transpose(1, 2);
  const auto mask = at.mask.defined() ? std::optional(at.mask) : std::nullopt;
  const auto mixed = at::scaled_dot_product_attention(q, cached(keys), cached(values), mask, 0,
                                                      at.causal && at.most > 1, std::nullopt, H != G);
  const auto flat = mixed.transpose(1, 2).reshape({-1, H * W});
  return at.row.defined() ? flat.index_select(0, at.row) : flat;
}

bool layout_fits(const at::Tensor &keys, const at::Tensor &values, bool of_kernels) {
  if (!of_kernels) return keys.dim() == 4 && keys.sizes() == values.sizes();
  return keys.dim() == 5 && values.dim() == 4 && keys.size(0) == values.size(0) && keys.size(1) == values.size(1) &&
         keys.size(4) == KEY_BLOCK && keys.size(2) == up(values.size(2), KEY_BLOCK) / KEY_BLOCK &&
         values.size(3) == up(keys.size(3), KEY_BLOCK);
}

/// Where a slot of one sequence lies, in every layout: (kv heads, width).
at::Tensor slot_of(const at::Tensor &cache, bool keys_of_kernels, bool of_kernels, int64_t sequence, int64_t slot) {
  const auto own = cache.select(0, sequence);
  if (keys_of_kernels) return own.select(1, slot / KEY_BLOCK).select(2, slot % KEY_BLOCK);
  return own.select(of_kernels ? 1 : 0, slot);
}

} // namespace
} // namespace ft

using namespace ft;

FT_EXPORT ft_tensor ft_cached_attention(ft_tensor qkv, ft_tensor cos, ft_tensor sin, ft_tensor keys, ft_tensor values,
                                        int32_t heads, const int32_t *places, int32_t count, int32_t rows) {
  return tensor([&] {
    at::NoGradGuard no_grad;
    const auto &k = get(keys), &v = get(values), &flat = get(qkv);
    const int64_t G = k.size(rows ? 1 : 2), W = k.size(3);
    TORCH_CHECK(flat.dim() == 2 && count > 0 && flat.size(0) == count && heads > 0 && heads % G == 0 &&
                    flat.size(1) == (heads + 2 * G) * W && layout_fits(k, v, rows),
                "cannot attend with ", flat.sizes(), " of ", count, " rows and ", heads, " heads to a cache of ", k.sizes(),
                " and ", v.sizes());
    const Step step = {flat, get(cos), get(sin), reinterpret_cast<const Place *>(places), heads, G, W};
    TORCH_CHECK(step.cos.dim() == 2 && 2 * step.cos.size(1) == W && step.sin.sizes() == step.cos.sizes(),
                "cannot rotate vectors of ", W, " with tables of ", step.cos.sizes(), " and ", step.sin.sizes());
    check_places(step, k.size(0), v.size(rows ? 2 : 1));
    if (!rows) return attend_by_ops(step, k, v);
    for (const auto *t : {&step.qkv, &k, &v, &step.cos, &step.sin})
      TORCH_CHECK(t->is_cpu() && t->scalar_type() == at::kFloat && t->is_contiguous(),
                  "the row kernels take contiguous float32 on the CPU, not ", c10::toString(t->scalar_type()), " of ",
                  t->sizes(), " on ", t->device().str());
    return attend_by_rows(step, {k, v});
  });
}

FT_EXPORT int32_t ft_cache_move(ft_tensor keys, ft_tensor values, int32_t sequence, int32_t from, int32_t to) {
  return done([&] {
    at::NoGradGuard no_grad;
    const auto &k = get(keys), &v = get(values);
    const bool of_kernels = k.dim() == 5;
    const int64_t slots = v.size(of_kernels ? 2 : 1);
    TORCH_CHECK(sequence >= 0 && sequence < k.size(0) && from >= 0 && from < slots && to >= 0 && to < slots,
                "cannot move slot ", from, " to ", to, " of sequence ", sequence, ": a cache of ", k.size(0),
                " sequences of ", slots, " slots");
    slot_of(k, of_kernels, of_kernels, sequence, to).copy_(slot_of(k, of_kernels, of_kernels, sequence, from));
    slot_of(v, false, of_kernels, sequence, to).copy_(slot_of(v, false, of_kernels, sequence, from));
  });
}
