// Norm, rotary positions and SwiGLU in one pass each, with their own backward passes. float32 on the CPU runs the row
// kernels; everything else runs the same formula in ATen ops, which is also what the tests compare with.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "guard.h"
#include "kernels/rows.h"
#include "precision.h"
#include "rotary.h"

namespace ft {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t ROWS_A_THREAD = 64; // fewer are not worth waking one

bool in_kernels(const at::Tensor &t) { return t.is_cpu() && t.scalar_type() == at::kFloat; }

/// For what the kernels read beside their input: its storage is taken as it lies.
void check_plain(const at::Tensor &t) {
  TORCH_CHECK(in_kernels(t) && t.is_contiguous(), "the kernel takes a contiguous float32 tensor on the CPU, not ",
              c10::toString(t.scalar_type()), " of ", t.sizes(), " on ", t.device().str());
}

int64_t row_width(const at::Tensor &t) { return t.size(-1); }
int64_t row_count(const at::Tensor &t) { return t.numel() / std::max<int64_t>(t.size(-1), 1); }

/// Whether nothing will ask for gradients: then the autograd node, 2 microseconds of it, is left out.
bool without_graph() { return !at::GradMode::is_enabled(); }

struct Normed {
  at::Tensor out, inverse;
};

Normed norm_rows(const at::Tensor &x, const at::Tensor &weight, double eps) {
  check_plain(weight);
  auto out = at::empty_like(x);
  auto inverse = at::empty({row_count(x)}, x.options());
  const int64_t width = row_width(x);
  const auto *xs = x.const_data_ptr<float>(), *ws = weight.const_data_ptr<float>();
  auto *os = out.data_ptr<float>(), *is = inverse.data_ptr<float>();
  at::parallel_for(0, row_count(x), ROWS_A_THREAD, [&](int64_t first, int64_t last) {
    row_kernels().rms_norm(xs + first * width, ws, os + first * width, is + first, last - first, width, (float)eps);
  });
  return {out, inverse};
}

struct RmsNorm : Function<RmsNorm> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &input, const at::Tensor &weight, double eps) {
    const auto x = input.contiguous();
    const auto [out, inverse] = norm_rows(x, weight, eps);
    context->save_for_backward({x, weight, inverse});
    return out;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &inverse = saved[2];
    const auto dout = gradients[0].contiguous();
    auto dx = at::empty_like(x);
    const int64_t width = row_width(x), rows = row_count(x);
    // One partial sum a block of rows, added in order: the same bits whatever the threads do.
    const int64_t blocks = (rows + ROWS_A_THREAD - 1) / ROWS_A_THREAD;
    auto partial = at::zeros({blocks, width}, x.options());
    const auto *xs = x.const_data_ptr<float>(), *ws = weight.const_data_ptr<float>(),
               *is = inverse.const_data_ptr<float>(), *ds = dout.const_data_ptr<float>();
    auto *out = dx.data_ptr<float>(), *sums = partial.data_ptr<float>();
    at::parallel_for(0, blocks, 1, [&](int64_t first, int64_t last) {
      for (int64_t b = first; b < last; b++) {
        const int64_t row = b * ROWS_A_THREAD, count = std::min(ROWS_A_THREAD, rows - row);
        row_kernels().rms_norm_backward(xs + row * width, ws, is + row, ds + row * width, out + row * width,
                                        sums + b * width, count, width);
      }
    });
    return {dx, partial.sum(0), at::Tensor()};
  }
};

at::Tensor swiglu_rows(const at::Tensor &gate_up) {
  auto sizes = gate_up.sizes().vec();
  sizes.back() /= 2;
  auto out = at::empty(sizes, gate_up.options());
  const int64_t width = row_width(out);
  const auto *in = gate_up.const_data_ptr<float>();
  auto *os = out.data_ptr<float>();
  at::parallel_for(0, row_count(out), ROWS_A_THREAD, [&](int64_t first, int64_t last) {
    row_kernels().swiglu(in + first * 2 * width, os + first * width, last - first, width);
  });
  return out;
}

struct SwiGlu : Function<SwiGlu> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &input) {
    const auto gate_up = input.contiguous();
    context->save_for_backward({gate_up});
    return swiglu_rows(gate_up);
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto dout = gradients[0].contiguous();
    auto dgate_up = at::empty_like(saved[0]);
    const int64_t width = row_width(dout);
    const auto *in = saved[0].const_data_ptr<float>(), *ds = dout.const_data_ptr<float>();
    auto *os = dgate_up.data_ptr<float>();
    at::parallel_for(0, row_count(dout), ROWS_A_THREAD, [&](int64_t first, int64_t last) {
      row_kernels().swiglu_backward(in + first * 2 * width, ds + first * width, os + first * 2 * width, last - first,
                                    width);
    });
    return {dgate_up};
  }
};

/// Turns the first `rotated` of the vectors of each position of x into out, which may be x.
void turn(const at::Tensor &x, const at::Tensor &out, const at::Tensor &cos, const at::Tensor &sin, int64_t rotated,
          int64_t start, float sign) {
  check_plain(cos);
  check_plain(sin);
  const int64_t width = x.size(-1), vectors = x.size(-2), positions = x.size(-3);
  const auto *in = x.const_data_ptr<float>(), *cs = cos.const_data_ptr<float>(), *ss = sin.const_data_ptr<float>();
  auto *os = out.data_ptr<float>();
  const int64_t a_row = vectors * width, turned = rotated * width;
  at::parallel_for(0, x.numel() / std::max<int64_t>(a_row, 1), ROWS_A_THREAD, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; row++) {
      const int64_t table = (start + row % positions) * (width / 2);
      row_kernels().rotate(in + row * a_row, os + row * a_row, cs + table, ss + table, rotated, width, sign);
      if (os != in) std::copy(in + row * a_row + turned, in + (row + 1) * a_row, os + row * a_row + turned);
    }
  });
}

struct Rope : Function<Rope> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &cos,
                            const at::Tensor &sin, int64_t rotated, int64_t start) {
    context->save_for_backward({cos, sin});
    context->saved_data["rotated"] = rotated;
    context->saved_data["start"] = start;
    return rotate_rows(x.contiguous(), cos, sin, rotated, start, 1);
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    return {rotate_rows(gradients[0].contiguous(), saved[0], saved[1], context->saved_data["rotated"].toInt(),
                        context->saved_data["start"].toInt(), -1),
            at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

at::Tensor rope_by_ops(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, int64_t rotated,
                       int64_t start) {
  const int64_t positions = x.size(-3), half = x.size(-1) / 2;
  const auto c = cos.slice(0, start, start + positions).unsqueeze(-2).to(x.scalar_type());
  const auto s = sin.slice(0, start, start + positions).unsqueeze(-2).to(x.scalar_type());
  const auto turning = x.slice(-2, 0, rotated);
  const auto a = turning.slice(-1, 0, half), b = turning.slice(-1, half, 2 * half);
  const auto turned = at::cat({a * c - b * s, b * c + a * s}, -1);
  return at::cat({turned, x.slice(-2, rotated, x.size(-2))}, -2);
}

} // namespace

void check_rotary(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, int64_t rotated, int64_t start) {
  TORCH_CHECK(x.dim() >= 3 && x.size(-1) % 2 == 0 && x.size(-2) > 0 && rotated >= 0 && rotated <= x.size(-2) &&
                  cos.dim() == 2 && cos.sizes() == sin.sizes() && cos.size(-1) == x.size(-1) / 2 && start >= 0 &&
                  start + x.size(-3) <= cos.size(0),
              "cannot rotate ", x.sizes(), " from position ", start, " with a table of ", cos.sizes());
}

at::Tensor rotate_rows(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, int64_t rotated,
                       int64_t start, float sign) {
  auto out = at::empty_like(x);
  turn(x, out, cos, sin, rotated, start, sign);
  return out;
}

void rotate_rows_(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, int64_t rotated, int64_t start,
                  float sign) {
  turn(x, x, cos, sin, rotated, start, sign);
}

at::Tensor rotate(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, int64_t rotated, int64_t start) {
  if (in_kernels(x) && without_graph()) return rotate_rows(x.contiguous(), cos, sin, rotated, start, 1);
  if (in_kernels(x)) return Rope::apply(x, cos, sin, rotated, start);
  return rope_by_ops(x, cos, sin, rotated, start);
}

} // namespace ft

using namespace ft;

FT_EXPORT ft_tensor ft_rms_norm(ft_tensor x, ft_tensor weight, double eps) {
  return tensor([&] {
    const auto &input = get(x), &w = get(weight);
    TORCH_CHECK(w.dim() == 1 && w.size(0) == input.size(-1), "a norm over ", input.size(-1), " and ", w.sizes(),
                " weights");
    if (in_kernels(input) && without_graph()) return norm_rows(input.contiguous(), w, eps).out;
    if (in_kernels(input)) return RmsNorm::apply(input, w, eps);
    return at::rms_norm(input, w.sizes(), weight_for(input, w), eps);
  });
}

FT_EXPORT ft_tensor ft_rope(ft_tensor x, ft_tensor cos, ft_tensor sin, int32_t rotated, double start) {
  return tensor([&] {
    check_rotary(get(x), get(cos), get(sin), rotated, (int64_t)start);
    return rotate(get(x), get(cos), get(sin), rotated, (int64_t)start);
  });
}

FT_EXPORT ft_tensor ft_swiglu(ft_tensor gate_up) {
  return tensor([&] {
    const auto &input = get(gate_up);
    TORCH_CHECK(input.size(-1) % 2 == 0, "SwiGLU needs an even last dimension, not ", input.size(-1));
    if (in_kernels(input) && without_graph()) return swiglu_rows(input.contiguous());
    if (in_kernels(input)) return SwiGlu::apply(input);
    const auto halves = input.chunk(2, -1);
    return at::silu(halves[0]) * halves[1];
  });
}
