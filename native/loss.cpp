// Unembedding and cross entropy together, in chunks of rows: one chunk's logits exist at a time. The gradients are
// made in the forward pass, while the logits are there (the idea of Liger and Cut Cross-Entropy, in plain ATen).
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <numeric>

#include "gemm.h"
#include "guard.h"
#include "kernels/rows.h"
#include "precision.h"

namespace ft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

void check(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &targets, int64_t chunk) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1), "cannot multiply ", x.sizes(),
              " by an unembedding of ", weight.sizes());
  TORCH_CHECK(targets.dim() == 1 && targets.size(0) == x.size(0) && targets.scalar_type() == at::kLong &&
                  targets.device() == x.device(),
              x.size(0), " rows need as many int64 targets on the same device, not ", targets.sizes(), " of ",
              c10::toString(targets.scalar_type()), " on ", targets.device().str());
  TORCH_CHECK(chunk > 0, "a chunk of ", chunk, " rows");
}

/// Sum of the NLL of float32 rows on the CPU; the logits become the gradient of scale * sum, z-loss included.
double nll_by_rows(at::Tensor &logits, const at::Tensor &targets, float scale, float z) {
  const int64_t rows = logits.size(0), width = logits.size(1);
  auto *values = logits.data_ptr<float>();
  const auto *target = targets.const_data_ptr<int64_t>();
  std::vector<double> nll(rows);
  at::parallel_for(0, rows, 16, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; r++) {
      float *row = values + r * width;
      if (target[r] < 0) {
        std::fill(row, row + width, 0.0f);
      } else {
        TORCH_CHECK_INDEX(target[r] < width, "target ", target[r], " of ", width, " classes");
        nll[r] = row_kernels().cross_entropy(row, width, target[r], scale, z);
      }
    }
  });
  return std::accumulate(nll.begin(), nll.end(), 0.0); // in order: the same bits whatever the threads do
}

/// The same in ATen ops for other types and devices; the sum stays on the device.
at::Tensor nll_by_ops(at::Tensor &logits, const at::Tensor &targets, double scale, double z) {
  const auto valid = targets.ge(0);
  const auto index = targets.clamp_min(0).unsqueeze(1);
  const auto total = logits.logsumexp(1, /*keepdim=*/true);
  const auto nll = (total - logits.gather(1, index)).squeeze(1).masked_fill_(valid.logical_not(), 0).sum();
  logits.sub_(total).exp_();
  if (z != 0) logits.mul_(total * (2 * z) + 1);
  logits.scatter_add_(1, index, at::full_like(index, -1, logits.options()));
  logits.mul_(valid.unsqueeze(1).to(logits.scalar_type()) * scale);
  return nll;
}

/// Moves a tensor out of the context, which then no longer owns it.
at::Tensor take(AutogradContext *context, const std::string &name) {
  auto &kept = context->saved_data[name];
  TORCH_CHECK(kept.isTensor(), "the graph of this loss was used before");
  auto tensor = kept.toTensor();
  kept = c10::IValue();
  return tensor;
}

/// sum = a b for the first of several products, else += a b; a bfloat16 product is added up in the sum's float32.
void add_product(at::Tensor &sum, const at::Tensor &a, const at::Tensor &b, bool first) {
  if (a.scalar_type() == sum.scalar_type()) product_into(sum, a, b, /*add=*/!first);
  else if (first) sum.copy_(product(a, b));
  else sum.add_(product(a, b));
}

struct LinearCrossEntropy : Function<LinearCrossEntropy> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &input, const at::Tensor &weight,
                            const at::Tensor &targets, double scale, int64_t chunk, double z) {
    check(input, weight, targets, chunk);
    const auto x = input.contiguous(), w = weight_for(x, weight);
    const bool by_rows = x.is_cpu() && x.scalar_type() == at::kFloat;
    const bool rounded = x.scalar_type() == at::kBFloat16; // then sums, softmax and the weight's gradient are float32
    const int64_t rows = x.size(0);
    // What is frozen gets no gradient, and none is made for it.
    auto dx = input.requires_grad() ? at::empty_like(x) : at::Tensor();
    auto dweight = weight.requires_grad() ? at::empty_like(weight) : at::Tensor();
    if (dweight.defined() && rows == 0) dweight.zero_();
    auto buffer = at::empty({std::min(chunk, rows), w.size(0)}, x.options());
    double sum = 0;
    const auto scalar = x.options().dtype(rounded ? at::kFloat : x.scalar_type());
    auto device_sum = at::zeros({}, scalar);
    for (int64_t start = 0; start < rows; start += chunk) {
      const int64_t count = std::min(chunk, rows - start);
      const auto xs = x.narrow(0, start, count), target = targets.narrow(0, start, count);
      auto logits = buffer.narrow(0, 0, count);
      product_into(logits, xs, w.t());
      if (by_rows) {
        sum += nll_by_rows(logits, target, (float)scale, (float)z);
      } else {
        auto wide = rounded ? logits.to(at::kFloat) : logits;
        device_sum.add_(nll_by_ops(wide, target, scale, z));
        if (rounded) logits.copy_(wide);
      }
      if (dx.defined()) product_into(dx.narrow(0, start, count), logits, w);
      if (dweight.defined()) add_product(dweight, logits.t(), xs, /*first=*/start == 0);
    }
    // Not save_for_backward: a second owner would make autograd copy each into .grad in place of taking it.
    if (dx.defined()) context->saved_data["dx"] = dx;
    if (dweight.defined()) context->saved_data["dweight"] = dweight;
    return by_rows ? at::full({}, sum * scale, scalar) : device_sum.mul_(scale);
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    at::Tensor dx, dweight;
    if (context->needs_input_grad(0)) dx = take(context, "dx");
    if (context->needs_input_grad(1)) dweight = take(context, "dweight");
    const auto &g = gradients[0];
    // The usual gradient is 1: on the CPU it can be looked at, and two passes are saved.
    if (!(g.is_cpu() && g.item<double>() == 1)) {
      if (dx.defined()) dx.mul_(g);
      if (dweight.defined()) dweight.mul_(g);
    }
    return {dx, dweight, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

} // namespace
} // namespace ft

using namespace ft;

FT_EXPORT ft_tensor ft_linear_cross_entropy(ft_tensor x, ft_tensor weight, ft_tensor targets, double scale,
                                            int32_t chunk, double z_loss) {
  return tensor(
      [&] { return LinearCrossEntropy::apply(get(x), get(weight), get(targets), scale, (int64_t)chunk, z_loss); });
}

FT_EXPORT int32_t ft_linear_nll(ft_tensor x, ft_tensor weight, ft_tensor targets, int32_t chunk, ft_tensor *out) {
  return done([&] {
    at::NoGradGuard no_grad;
    const auto &input = get(x), &target = get(targets);
    check(input, get(weight), target, chunk);
    const auto w = weight_for(input, get(weight));
    const auto sums = input.scalar_type() == at::kBFloat16 ? at::kFloat : input.scalar_type();
    const int64_t rows = input.size(0);
    auto nll = at::empty({rows}, input.options().dtype(sums));
    auto best = at::empty({rows}, target.options());
    for (int64_t start = 0; start < rows; start += chunk) {
      const int64_t count = std::min<int64_t>(chunk, rows - start);
      const auto logits = product(input.narrow(0, start, count), w.t()).to(sums);
      const auto targets_here = target.narrow(0, start, count);
      const auto chosen = logits.gather(1, targets_here.clamp_min(0).unsqueeze(1)).squeeze(1);
      nll.narrow(0, start, count).copy_((logits.logsumexp(1) - chosen).masked_fill_(targets_here.lt(0), 0));
      best.narrow(0, start, count).copy_(logits.argmax(1));
    }
    out[0] = own(nll);
    out[1] = own(best);
  });
}
