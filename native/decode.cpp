// Linear maps of a decoding step's few rows, without gradients. Two ways: our tiles over weights that were packed once,
// whose rounding does not depend on the number of rows, and ATen, on any device, whose rounding does.
#include <ATen/EmptyTensor.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <sys/mman.h>

#include <algorithm>

#include "gemm.h"
#include "guard.h"
#include "kernels/rows.h"
#include "kernels/up.h"

namespace ft {
namespace {

// Multiplications that are worth waking a second thread for: about 1.5 microseconds of one thread's work.
constexpr int64_t A_THREAD = 1 << 15;

void check_plain(const at::Tensor &t) {
  TORCH_CHECK(t.is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous(),
              "the row kernels take contiguous float32 on the CPU, not ", c10::toString(t.scalar_type()), " of ",
              t.sizes(), " on ", t.device().str());
}

/// Asks for large pages where memory is not in use yet: decoding reads all weights for every token, and with small ones
/// waits for the addresses of one page in eight.
void in_large_pages(const at::Tensor &fresh) {
  constexpr uintptr_t PAGE = 1 << 21;
  const auto start = (uintptr_t)fresh.data_ptr(), first = (start + PAGE - 1) & ~(PAGE - 1);
  const auto end = (start + fresh.nbytes()) & ~(PAGE - 1);
  if (first < end) madvise((void *)first, end - first, MADV_HUGEPAGE);
}

at::Tensor pack(const at::Tensor &weight) {
  const auto &kernels = panel_kernels();
  const auto w = weight.detach().to(at::kCPU, at::kFloat);
  TORCH_CHECK(w.dim() == 2 && w.numel() > 0, "cannot pack ", w.sizes());
  const int64_t outputs = w.size(0), inner = w.size(1), panels = up(outputs, kernels.panel) / kernels.panel;
  auto packed = at::empty({panels, inner, kernels.panel}, w.options().memory_format(at::MemoryFormat::Contiguous));
  in_large_pages(packed);
  auto *out = packed.data_ptr<float>();
  at::parallel_for(0, panels, 4, [&](int64_t first, int64_t last) {
    const Strided columns = {w.const_data_ptr<float>(), w.stride(1), w.stride(0)}; // of the transpose
    const int64_t from = first * kernels.panel, count = std::min(last * kernels.panel, outputs) - from;
    kernels.pack(columns.at(0, from), inner, count, out + first * inner * kernels.panel);
  });
  return packed;
}

/// What a linear map of a step takes besides x and the weight. Undefined tensors: none.
struct Around {
  at::Tensor norm; // (in): RMSNorm's weight, for x before the product
  double eps;
  at::Tensor residual; // (rows, out): added to the product
};

/// RMSNorm of a few rows, in this thread's scratch.
const float *normed(const at::Tensor &x, const Around &around) {
  check_plain(around.norm);
  TORCH_CHECK(around.norm.numel() == x.size(1), "a norm of ", around.norm.sizes(), " for rows of ", x.size(1));
  const int64_t rows = x.size(0), width = x.size(1);
  auto *out = scratch(rows * (width + 1)), *inverse = out + rows * width;
  const auto *in = x.const_data_ptr<float>(), *weight = around.norm.const_data_ptr<float>();
  constexpr int64_t TOGETHER = 64;
  at::parallel_for(0, rows, TOGETHER, [&](int64_t first, int64_t last) {
    row_kernels().rms_norm(in + first * width, weight, out + first * width, inverse + first, last - first, width,
                           (float)around.eps);
  });
  return out;
}

at::Tensor linear_by_rows(const at::Tensor &input, const at::Tensor &packed, int64_t outputs, const Around &around) {
  check_plain(input);
  check_plain(packed);
  const auto &kernels = panel_kernels();
  TORCH_CHECK(input.dim() == 2 && input.numel() > 0 && packed.dim() == 3 && packed.size(1) == input.size(1) &&
                  packed.size(2) == kernels.panel && outputs > 0 && outputs <= packed.size(0) * kernels.panel,
              "cannot multiply ", input.sizes(), " by packed panels of ", packed.sizes(), " for ", outputs, " outputs");
  const int64_t rows = input.size(0), inner = input.size(1), stride = inner * kernels.panel;
  const Strided a = {around.norm.defined() ? normed(input, around) : input.const_data_ptr<float>(), inner, 1};
  at::Tensor y(at::detail::empty_cpu({rows, outputs}, at::kFloat)); // at::empty finds its way here in a microsecond
  auto *out = y.data_ptr<float>();
  const bool add = around.residual.defined();
  if (add) {
    check_plain(around.residual);
    TORCH_CHECK(around.residual.sizes() == y.sizes(), "cannot add ", around.residual.sizes(), " to ", y.sizes());
    std::copy_n(around.residual.const_data_ptr<float>(), rows * outputs, out);
  }
  const auto *weights = packed.const_data_ptr<float>();
  const int64_t panels = up(outputs, kernels.panel) / kernels.panel;
  const int64_t grain = std::max<int64_t>(A_THREAD / (rows * stride), 1);
  at::parallel_for(0, panels, grain, [&](int64_t first, int64_t last) {
    const int64_t from = first * kernels.panel, count = std::min(last * kernels.panel, outputs) - from;
    kernels.multiply(a, weights + first * stride, stride, out + from, outputs, rows, count, inner, add);
  });
  return y;
}

at::Tensor linear_by_ops(const at::Tensor &input, const at::Tensor &weight, int64_t outputs, const Around &around) {
  const auto x = around.norm.defined() ? at::rms_norm(input, {input.size(-1)}, around.norm, around.eps) : input;
  const auto y = at::linear(x, weight.narrow(0, 0, outputs));
  return around.residual.defined() ? y + around.residual : y;
}

} // namespace
} // namespace ft

using namespace ft;

FT_EXPORT ft_tensor ft_pack(ft_tensor weight) {
  return tensor([&] { return pack(get(weight)); });
}

FT_EXPORT ft_tensor ft_decode_linear(ft_tensor x, ft_tensor weight, int32_t outputs, ft_tensor norm, double eps,
                                     ft_tensor residual, int32_t rows) {
  return tensor([&] {
    at::NoGradGuard no_grad;
    const Around around = {get_optional(norm), eps, get_optional(residual)};
    return rows ? linear_by_rows(get(x), get(weight), outputs, around)
                : linear_by_ops(get(x), get(weight), outputs, around);
  });
}

FT_EXPORT int32_t ft_choices(ft_tensor logits, double *out, int32_t capacity) {
  return guard([&] {
    const auto &l = get(logits);
    TORCH_CHECK(l.dim() == 2 && l.size(0) <= capacity && l.size(1) > 0, "cannot choose from ", l.sizes());
    const int32_t rows = (int32_t)l.size(0);
    if (l.is_cpu() && l.scalar_type() == at::kFloat && l.is_contiguous()) {
      const auto *row = l.const_data_ptr<float>();
      for (int32_t r = 0; r < rows; r++, row += l.size(1)) {
        const int64_t best = row_kernels().argmax(row, l.size(1));
        TORCH_CHECK(best < l.size(1), "the model's logits are not finite");
        out[r] = (double)best;
      }
    } else {
      TORCH_CHECK(l.isfinite().all().item<bool>(), "the model's logits are not finite");
      const auto best = l.argmax(1).to(at::kCPU);
      std::copy_n(best.const_data_ptr<int64_t>(), rows, out);
    }
    return rows;
  });
}
