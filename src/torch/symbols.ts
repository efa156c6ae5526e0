/**
 * The symbol table: mirrors native/ft.h line by line; test/torch/symbols_test.ts fails when they differ.
 *
 * Handles and codes travel as i32, sizes as i32 or f64, everything else through buffers of the caller: scoped
 * `--allow-ffi` gives no pointers, and an i64 given a plain number costs thirty times more.
 */

export const ABI_VERSION = 3;

export const SYMBOLS = {
  // guard.cpp
  ft_abi_version: { parameters: [], result: "i32" },
  ft_last_error: { parameters: ["buffer", "i32"], result: "i32" },
  ft_live_tensors: { parameters: [], result: "i32" },
  ft_free: { parameters: ["i32"], result: "i32" },
  // device.cpp
  ft_versions: { parameters: ["buffer", "i32"], result: "i32" },
  ft_cuda_devices: { parameters: [], result: "i32" },
  ft_cuda_device: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  ft_synchronize: { parameters: ["i32"], result: "i32" },
  ft_threads: { parameters: [], result: "i32" },
  ft_set_threads: { parameters: ["i32"], result: "i32" },
  ft_memory: { parameters: ["i32", "buffer"], result: "i32" },
  ft_seed: { parameters: ["f64"], result: "i32" },
  ft_rng_state: { parameters: ["buffer", "i32"], result: "i32" },
  ft_set_rng_state: { parameters: ["buffer", "i32"], result: "i32" },
  ft_refuse_exec: { parameters: [], result: "i32" },
  // tensor.cpp
  ft_full: { parameters: ["buffer", "i32", "f64", "i32", "i32"], result: "i32" },
  ft_randn: { parameters: ["buffer", "i32", "i32", "i32"], result: "i32" },
  ft_from_bytes: { parameters: ["buffer", "f64", "buffer", "i32", "i32"], result: "i32" },
  ft_to: { parameters: ["i32", "i32", "i32"], result: "i32" },
  ft_clone: { parameters: ["i32"], result: "i32" },
  ft_to_bytes: { parameters: ["i32", "buffer", "f64"], result: "i32" },
  ft_fill_from_bytes: { parameters: ["i32", "buffer", "f64"], result: "i32" },
  ft_fill_normal: { parameters: ["i32", "f64", "f64"], result: "i32" },
  ft_copy: { parameters: ["i32", "i32"], result: "i32" },
  ft_item: { parameters: ["i32", "buffer"], result: "i32" },
  ft_shape: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  ft_dtype: { parameters: ["i32"], result: "i32" },
  ft_device: { parameters: ["i32"], result: "i32" },
  // ops.cpp
  ft_add: { parameters: ["i32", "i32"], result: "i32" },
  ft_sub: { parameters: ["i32", "i32"], result: "i32" },
  ft_mul: { parameters: ["i32", "i32"], result: "i32" },
  ft_scale: { parameters: ["i32", "f64"], result: "i32" },
  ft_sum: { parameters: ["i32"], result: "i32" },
  ft_matmul: { parameters: ["i32", "i32"], result: "i32" },
  ft_linear: { parameters: ["i32", "i32"], result: "i32" },
  ft_embedding: { parameters: ["i32", "i32"], result: "i32" },
  ft_reshape: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  ft_transpose: { parameters: ["i32", "i32", "i32"], result: "i32" },
  ft_slice: { parameters: ["i32", "i32", "f64", "f64"], result: "i32" },
  ft_cat: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  ft_silu: { parameters: ["i32"], result: "i32" },
  ft_attention: { parameters: ["i32", "i32", "i32", "i32"], result: "i32" },
  ft_cross_entropy: { parameters: ["i32", "i32"], result: "i32" },
  ft_argmax: { parameters: ["i32", "i32"], result: "i32" },
  ft_top2_gap: { parameters: ["i32"], result: "i32" },
  ft_equal: { parameters: ["i32", "i32"], result: "i32" },
  // fused.cpp
  ft_rms_norm: { parameters: ["i32", "i32", "f64"], result: "i32" },
  ft_rope: { parameters: ["i32", "i32", "i32", "i32", "f64"], result: "i32" },
  ft_swiglu: { parameters: ["i32"], result: "i32" },
  // attention.cpp
  ft_self_attention: { parameters: ["i32", "i32", "i32", "i32"], result: "i32" },
  // tree.cpp
  ft_tree_attention: { parameters: ["i32", "i32", "i32", "i32", "i32"], result: "i32" },
  // loss.cpp
  ft_linear_cross_entropy: { parameters: ["i32", "i32", "i32", "f64", "i32", "f64"], result: "i32" },
  ft_linear_nll: { parameters: ["i32", "i32", "i32", "i32", "buffer"], result: "i32" },
  // decode.cpp
  ft_pack: { parameters: ["i32"], result: "i32" },
  ft_decode_linear: { parameters: ["i32", "i32", "i32", "i32", "f64", "i32", "i32"], result: "i32" },
  ft_choices: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // cached.cpp
  ft_cached_attention: {
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "buffer", "i32", "i32"],
    result: "i32",
  },
  ft_cache_move: { parameters: ["i32", "i32", "i32", "i32", "i32"], result: "i32" },
  // sample.cpp
  ft_penalize: { parameters: ["i32", "i32", "buffer", "i32", "f64"], result: "i32" },
  ft_distributions: { parameters: ["i32", "f64", "i32", "f64", "f64"], result: "i32" },
  ft_draw: { parameters: ["i32", "i32", "f64"], result: "i32" },
  ft_draw_residual: { parameters: ["i32", "i32", "i32", "i32", "f64"], result: "i32" },
  ft_probability: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  ft_entropy: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  ft_best: { parameters: ["i32", "i32", "buffer", "i32"], result: "i32" },
  // autograd.cpp
  ft_require_grad: { parameters: ["i32"], result: "i32" },
  ft_freeze: { parameters: ["i32"], result: "i32" },
  ft_requires_grad: { parameters: ["i32"], result: "i32" },
  ft_detach: { parameters: ["i32"], result: "i32" },
  ft_backward: { parameters: ["i32", "i32"], result: "i32" },
  ft_has_grad: { parameters: ["i32"], result: "i32" },
  ft_grad: { parameters: ["i32"], result: "i32" },
  ft_clear_grads: { parameters: ["buffer", "i32"], result: "i32" },
  ft_set_grad_enabled: { parameters: ["i32"], result: "i32" },
  // optim.cpp
  ft_grad_norm: { parameters: ["buffer", "i32"], result: "i32" },
  ft_clip_grads: { parameters: ["buffer", "i32", "i32", "f64"], result: "i32" },
  ft_adamw: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "i32", "f64", "f64", "f64", "f64", "f64", "i32"],
    result: "i32",
  },
  ft_muon: {
    parameters: ["buffer", "buffer", "buffer", "i32", "buffer", "buffer", "f64", "f64", "f64", "i32"],
    result: "i32",
  },
  ft_lerp: { parameters: ["buffer", "buffer", "i32", "f64"], result: "i32" },
  ft_swap: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
  // data.cpp
  ft_shards_open: { parameters: ["buffer", "i32", "i32", "i32", "buffer", "i32"], result: "i32" },
  ft_shards_close: { parameters: ["i32"], result: "i32" },
  ft_shards_tokens: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  ft_shards_gather: {
    parameters: ["i32", "buffer", "buffer", "i32", "i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  ft_shards_prefetch: {
    parameters: ["i32", "buffer", "buffer", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
  // save.cpp
  ft_save_reserve: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  ft_save_copy: { parameters: ["buffer", "buffer", "f64", "buffer", "i32"], result: "i32" },
  ft_save_start: { parameters: [], result: "i32" },
  ft_save_finish: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  ft_save_release: { parameters: [], result: "i32" },
  // energy.cpp
  ft_cpu_energy: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
  ft_gpu_energy: { parameters: ["i32", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;
