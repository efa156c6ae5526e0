// Tokens drawn from logits: what temperature, penalties and truncation leave of a distribution, and the test that keeps
// it unchanged when drafts are drawn from another. On the CPU: a row of logits is small.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "guard.h"

namespace ft {
namespace {

/// A matrix (rows, V) of float32 on the CPU.
struct Matrix {
  const float *data;
  int64_t rows, width;

  const float *row(int64_t r) const {
    TORCH_CHECK(r >= 0 && r < rows, "there is no row ", r, " of ", rows);
    return data + r * width;
  }
};

Matrix matrix_of(ft_tensor handle) {
  const auto &t = get(handle);
  TORCH_CHECK(t.dim() == 2 && t.numel() > 0 && t.is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous(),
              "probabilities are rows of float32 on the CPU, not ", t.sizes(), " of ", c10::toString(t.scalar_type()),
              " on ", t.device().str());
  return {t.const_data_ptr<float>(), t.size(0), t.size(1)};
}

struct Settings {
  double temperature; // above 0
  int64_t top_k;      // 0: all
  double top_p;       // 1: all
  double min_p;       // 0: all
};

/// Sets to 0 what top-k, top-p and min-p leave out. Each is asked of what the one before it left (the order of
/// transformers' processors); of equals that straddle the border of top-k all stay.
void truncate(std::vector<float> &p, const Settings &s, std::vector<float> &sorted) {
  const auto sum = [&] { return std::accumulate(p.begin(), p.end(), 0.0); };
  if (s.top_k > 0 && s.top_k < (int64_t)p.size()) {
    sorted = p;
    std::nth_element(sorted.begin(), sorted.begin() + (s.top_k - 1), sorted.end(), std::greater<>());
    const float least = sorted[s.top_k - 1];
    for (auto &value : p)
      if (value < least) value = 0;
  }
  if (s.top_p < 1) { // the fewest of the likeliest that together reach top_p
    const double enough = s.top_p * sum();
    sorted = p;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    double reached = 0;
    float least = sorted[0];
    for (const float value : sorted) {
      least = value;
      reached += value;
      if (reached >= enough) break;
    }
    for (auto &value : p)
      if (value < least) value = 0;
  }
  if (s.min_p > 0) {
    const float least = (float)s.min_p * *std::max_element(p.begin(), p.end());
    for (auto &value : p)
      if (value < least) value = 0;
  }
}

void distribution(const float *logits, float *out, int64_t width, const Settings &s, std::vector<float> &p,
                  std::vector<float> &sorted) {
  const float best = *std::max_element(logits, logits + width);
  TORCH_CHECK(std::isfinite(best), "the model's logits are not finite");
  p.resize(width);
  double all = 0; // a NaN anywhere shows in the sum
  for (int64_t v = 0; v < width; v++) all += p[v] = std::exp((float)((logits[v] - best) / s.temperature));
  TORCH_CHECK(std::isfinite(all), "the model's logits are not finite");
  truncate(p, s, sorted);
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (int64_t v = 0; v < width; v++) out[v] = (float)(p[v] / sum);
}

/// The index at which the running sum of weight(0), weight(1), ... passes `share` of their sum; never one of weight 0.
template <class Weight> int64_t draw(int64_t width, double share, Weight &&weight) {
  double sum = 0;
  for (int64_t v = 0; v < width; v++) sum += weight(v);
  const double target = share * sum;
  double running = 0;
  int64_t last = -1;
  for (int64_t v = 0; v < width; v++) {
    const double here = weight(v);
    if (here <= 0) continue;
    last = v;
    running += here;
    if (running > target) break;
  }
  TORCH_CHECK(last >= 0, "no token has a probability above 0");
  return last;
}

} // namespace
} // namespace ft

using namespace ft;

FT_EXPORT int32_t ft_penalize(ft_tensor logits, int32_t row, const int32_t *tokens, int32_t count, double penalty) {
  return done([&] {
    const auto matrix = matrix_of(logits);
    auto *values = const_cast<float *>(matrix.row(row));
    for (int32_t i = 0; i < count; i++) {
      TORCH_CHECK(tokens[i] >= 0 && tokens[i] < matrix.width, "there is no token ", tokens[i]);
      auto &value = values[tokens[i]];
      value = (float)(value > 0 ? value / penalty : value * penalty);
    }
  });
}

FT_EXPORT ft_tensor ft_distributions(ft_tensor logits, double temperature, int32_t top_k, double top_p, double min_p) {
  return tensor([&] {
    const auto in = matrix_of(logits);
    const Settings settings = {temperature, top_k, top_p, min_p};
    TORCH_CHECK(temperature > 0 && top_k >= 0 && top_p > 0 && top_p <= 1 && min_p >= 0 && min_p <= 1,
                "temperature > 0, top_k >= 0, 0 < top_p <= 1 and 0 <= min_p <= 1 expected");
    auto out = at::empty({in.rows, in.width}, at::kFloat);
    std::vector<float> p, sorted;
    for (int64_t r = 0; r < in.rows; r++)
      distribution(in.row(r), out.data_ptr<float>() + r * in.width, in.width, settings, p, sorted);
    return out;
  });
}

FT_EXPORT int32_t ft_draw(ft_tensor probabilities, int32_t row, double uniform) {
  return guard([&] {
    const auto matrix = matrix_of(probabilities);
    const auto *p = matrix.row(row);
    return (int32_t)draw(matrix.width, uniform, [&](int64_t v) { return p[v]; });
  });
}

FT_EXPORT int32_t ft_draw_residual(ft_tensor p, int32_t p_row, ft_tensor q, int32_t q_row, double uniform) {
  return guard([&] {
    const auto wanted = matrix_of(p), drafted = matrix_of(q);
    TORCH_CHECK(wanted.width == drafted.width, "distributions over ", wanted.width, " and ", drafted.width, " tokens");
    const auto *ps = wanted.row(p_row), *qs = drafted.row(q_row);
    bool differ = false; // else only rounding made the draft's probability the smaller one
    for (int64_t v = 0; v < wanted.width; v++) differ |= ps[v] > qs[v];
    return (int32_t)draw(wanted.width, uniform, [&](int64_t v) { return differ ? std::max(ps[v] - qs[v], 0.0f) : ps[v]; });
  });
}

FT_EXPORT int32_t ft_probability(ft_tensor probabilities, int32_t row, int32_t token, double *out) {
  return done([&] {
    const auto matrix = matrix_of(probabilities);
    TORCH_CHECK(token >= 0 && token < matrix.width, "there is no token ", token);
    *out = matrix.row(row)[token];
  });
}

FT_EXPORT int32_t ft_entropy(ft_tensor probabilities, int32_t row, double *out) {
  return done([&] {
    const auto matrix = matrix_of(probabilities);
    const auto *p = matrix.row(row);
    double nats = 0;
    for (int64_t v = 0; v < matrix.width; v++)
      if (p[v] > 0) nats -= p[v] * std::log(p[v]);
    *out = nats;
  });
}

FT_EXPORT int32_t ft_best(ft_tensor logits, int32_t row, int32_t *out, int32_t count) {
  return done([&] {
    const auto matrix = matrix_of(logits);
    const auto *values = matrix.row(row);
    TORCH_CHECK(count > 0 && count <= matrix.width, "cannot take the best ", count, " of ", matrix.width);
    std::vector<int32_t> order(matrix.width);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int32_t a, int32_t b) {
      return values[a] > values[b] || (values[a] == values[b] && a < b);
    });
    std::copy_n(order.begin(), count, out);
  });
}
