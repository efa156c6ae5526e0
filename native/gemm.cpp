// Whole matrix products out of the tiles of kernels/gemm.h: blocks for the caches, ranges for the threads.
//
// They are used on x86-64 processors other than Intel's, where libtorch's own products (Intel's MKL) run at half the
// speed: on an AMD EPYC of 2024 with AVX-512, 85 GFLOP/s a core against 190.
#include "gemm.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>

namespace ft {
namespace {

constexpr int64_t DEPTH = 256;     // a panel of b, DEPTH x 32 numbers, fills two thirds of the first cache
constexpr int64_t ROWS = 96;       // of a at a time: ROWS x DEPTH numbers, in the second cache
constexpr int64_t COLUMNS = 1024;  // of packed b at a time: 1 MB
constexpr int64_t A_THREAD = 1 << 20; // multiplications that are worth waking one

const GemmKernels *faster_kernels() {
#if defined(__x86_64__)
  static const bool intel = __builtin_cpu_is("intel");
  if (!intel) return gemm_kernels();
#endif
  return nullptr;
}

int64_t blocks(int64_t size, int64_t block) { return (size + block - 1) / block; }

/// The part of a product that one thread makes.
void multiply_part(const GemmKernels &kernels, Strided a, Strided b, float *c, int64_t ldc, int64_t rows,
                   int64_t columns, int64_t depth, bool add) {
  auto *packed = scratch(DEPTH * (std::min(COLUMNS, columns) + kernels.panel) + DEPTH * ROWS);
  auto *left = packed + DEPTH * blocks(std::min(COLUMNS, columns), kernels.panel) * kernels.panel;
  for (int64_t j = 0; j < columns; j += COLUMNS) {
    const int64_t wide = std::min(COLUMNS, columns - j);
    for (int64_t k = 0; k < depth; k += DEPTH) {
      const int64_t deep = std::min(DEPTH, depth - k);
      kernels.pack(b.at(k, j), deep, wide, packed);
      for (int64_t i = 0; i < rows; i += ROWS) {
        const int64_t high = std::min(ROWS, rows - i);
        Strided block = a.at(i, k);
        if (a.column != 1) { // each column is a short piece, one to a page: read once, not once for each panel
          for (int64_t d = 0; d < deep; d++) std::copy_n(block.data + d * a.column, high, left + d * ROWS);
          block = {left, 1, ROWS};
        }
        kernels.multiply(block, packed, deep * kernels.panel, c + i * ldc + j, ldc, high, wide, deep, add || k > 0);
      }
    }
  }
}

/// How many ways rows and columns are divided among threads.
struct Grid {
  int64_t rows, columns;
};

/// The grid whose largest part is smallest; with equal parts, the one that packs least.
Grid grid_of(int64_t row_tiles, int64_t panels, int64_t threads) {
  Grid best = {1, 1};
  auto cost = [&](Grid g) {
    return blocks(row_tiles, g.rows) * blocks(panels, g.columns) * 1000 + blocks(panels, g.columns);
  };
  for (int64_t rows = 1; rows <= threads; rows++) {
    const Grid grid = {rows, threads / rows};
    if (cost(grid) < cost(best)) best = grid;
  }
  return best;
}

void multiply_all(const GemmKernels &kernels, Strided a, Strided b, float *c, int64_t ldc, int64_t rows,
                  int64_t columns, int64_t depth, bool add) {
  const int64_t tiles = blocks(rows, kernels.tile_rows), panels = blocks(columns, kernels.panel);
  const int64_t threads = std::clamp<int64_t>(rows * columns * depth / A_THREAD, 1, at::get_num_threads());
  const Grid grid = grid_of(tiles, panels, threads);
  const int64_t high = blocks(tiles, grid.rows) * kernels.tile_rows;
  const int64_t wide = blocks(panels, grid.columns) * kernels.panel;
  at::parallel_for(0, grid.rows * grid.columns, 1, [&](int64_t first, int64_t last) {
    for (int64_t part = first; part < last; part++) {
      const int64_t i = part / grid.columns * high, j = part % grid.columns * wide;
      if (i < rows && j < columns)
        multiply_part(kernels, a.at(i, 0), b.at(0, j), c + i * ldc + j, ldc, std::min(high, rows - i),
                      std::min(wide, columns - j), depth, add);
    }
  });
}

bool plain(const at::Tensor &t) { return t.is_cpu() && t.scalar_type() == at::kFloat && t.numel() > 0; }
bool in_pieces(const at::Tensor &t) { return plain(t) && (t.stride(0) == 1 || t.stride(1) == 1); }
Strided strided(const at::Tensor &t) { return {t.const_data_ptr<float>(), t.stride(0), t.stride(1)}; }

/// Of tensors whose last dimension lies in one piece: (all others, last).
at::Tensor matrix(const at::Tensor &t) { return t.reshape({-1, t.size(-1)}); }

at::Tensor linear_values(const at::Tensor &x, const at::Tensor &weight) {
  auto sizes = x.sizes().vec();
  sizes.back() = weight.size(0);
  return product(matrix(x), weight.t()).view(sizes);
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight) {
    context->save_for_backward({x, weight});
    return linear_values(x, weight);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const auto dy = matrix(gradients[0]);
    at::Tensor dx, dweight;
    if (context->needs_input_grad(0)) dx = product(dy, weight).view(x.sizes());
    if (context->needs_input_grad(1)) dweight = product(dy.t(), matrix(x));
    return {dx, dweight};
  }
};

} // namespace

float *scratch(int64_t floats) {
  struct Free {
    void operator()(float *p) const { std::free(p); }
  };
  thread_local std::unique_ptr<float, Free> memory;
  thread_local int64_t size = 0;
  if (floats > size) {
    memory.reset(static_cast<float *>(std::aligned_alloc(64, blocks(floats, 16) * 64)));
    TORCH_CHECK(memory, "no memory for ", floats, " numbers");
    size = floats;
  }
  return memory.get();
}

const char *products_by() {
  const auto *kernels = faster_kernels();
  return kernels ? kernels->isa : "libtorch";
}

void product_into(const at::Tensor &into, const at::Tensor &a, const at::Tensor &b, bool add) {
  TORCH_CHECK(a.dim() == 2 && b.dim() == 2 && into.dim() == 2 && a.size(1) == b.size(0) &&
                  into.size(0) == a.size(0) && into.size(1) == b.size(1),
              "cannot multiply ", a.sizes(), " by ", b.sizes(), " into ", into.sizes());
  const auto *kernels = faster_kernels();
  if (kernels && in_pieces(a) && in_pieces(b) && plain(into) && into.stride(1) == 1)
    multiply_all(*kernels, strided(a), strided(b), into.data_ptr<float>(), into.stride(0), into.size(0), into.size(1),
                 a.size(1), add);
  else if (add) into.addmm_(a, b);
  else at::mm_out(const_cast<at::Tensor &>(into), a, b);
}

at::Tensor product(const at::Tensor &a, const at::Tensor &b) {
  auto out = at::empty({a.size(0), b.size(1)}, a.options());
  product_into(out, a, b);
  return out;
}

at::Tensor linear_map(const at::Tensor &x, const at::Tensor &weight) {
  const bool ours = faster_kernels() && plain(x) && plain(weight) && x.dim() > 0 && weight.dim() == 2 &&
                    x.size(-1) == weight.size(1);
  if (!ours) return at::linear(x, weight);
  if (!at::GradMode::is_enabled()) return linear_values(x, weight);
  return Linear::apply(x, weight);
}

} // namespace ft
