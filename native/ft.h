/*
 * The whole C interface between Deno and libtorch.
 *
 * Every function returns an int32_t. A negative one means failure, and ft_last_error() then has the
 * sentence; what the others mean stands beside each function ("0" where there is nothing to say).
 * A tensor is a handle: a slot and a generation in one positive number, so that a handle used after
 * it was freed is an error and not a crash. Handle 0 stands for "no tensor" where one is optional.
 * Every function that makes a tensor gives a fresh handle, which its caller frees.
 *
 * All calls come from one thread: grad mode and the message belong to the thread.
 * Strings end in NUL. Sizes travel as int32_t or double (exact to 2^53), never as int64_t: an int64_t
 * made from a plain JavaScript number costs thirty times more.
 *
 * src/torch/symbols.ts mirrors this file line by line; a test compares them.
 */
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FT_ABI_VERSION 3

typedef int32_t ft_tensor;
typedef int32_t ft_shards;

/* guard.cpp: errors and ownership */
int32_t ft_abi_version(void);
int32_t ft_last_error(char *out, int32_t capacity); /* bytes of the message; copies what fits */
int32_t ft_live_tensors(void);
int32_t ft_free(ft_tensor t);

/* device.cpp: the machine and the process. Device codes: 0 is the CPU, n + 1 is cuda:n */
int32_t ft_versions(char *out, int32_t capacity); /* JSON; bytes of it */
int32_t ft_cuda_devices(void);
int32_t ft_cuda_device(int32_t device, char *out, int32_t capacity); /* JSON: name, major, minor; bytes of it */
int32_t ft_synchronize(int32_t device);
int32_t ft_threads(void);
int32_t ft_set_threads(int32_t threads);
int32_t ft_memory(int32_t device, double *out); /* out[2], bytes: now and peak (CPU: resident size) */
int32_t ft_seed(double seed);
int32_t ft_rng_state(uint8_t *out, int32_t capacity); /* bytes of the CPU generator's state */
int32_t ft_set_rng_state(const uint8_t *state, int32_t bytes);
int32_t ft_refuse_exec(void); /* from now on no thread of this process starts a program */

/* tensor.cpp: making, reading and describing. Dtype codes stand in tensor.cpp and dtype.ts */
ft_tensor ft_full(const double *shape, int32_t dims, double value, int32_t dtype, int32_t device);
ft_tensor ft_randn(const double *shape, int32_t dims, int32_t dtype, int32_t device);
ft_tensor ft_from_bytes(const uint8_t *data, double bytes, const double *shape, int32_t dims, int32_t dtype);
ft_tensor ft_to(ft_tensor t, int32_t dtype, int32_t device);
ft_tensor ft_clone(ft_tensor t);
int32_t ft_to_bytes(ft_tensor t, uint8_t *out, double bytes);
int32_t ft_fill_from_bytes(ft_tensor t, const uint8_t *data, double bytes);
int32_t ft_fill_normal(ft_tensor t, double std, double seed); /* from a generator of its own */
int32_t ft_copy(ft_tensor into, ft_tensor from);
int32_t ft_item(ft_tensor t, double *out);
int32_t ft_shape(ft_tensor t, double *out, int32_t capacity); /* number of dimensions */
int32_t ft_dtype(ft_tensor t);                                /* code */
int32_t ft_device(ft_tensor t);                               /* code */

/* ops.cpp: one op a function; autograd follows them */
ft_tensor ft_add(ft_tensor a, ft_tensor b);
ft_tensor ft_sub(ft_tensor a, ft_tensor b);
ft_tensor ft_mul(ft_tensor a, ft_tensor b);
ft_tensor ft_scale(ft_tensor a, double factor);
ft_tensor ft_sum(ft_tensor a);
ft_tensor ft_matmul(ft_tensor a, ft_tensor b);
ft_tensor ft_linear(ft_tensor x, ft_tensor weight);
ft_tensor ft_embedding(ft_tensor ids, ft_tensor weight);
ft_tensor ft_reshape(ft_tensor a, const double *shape, int32_t dims);
ft_tensor ft_transpose(ft_tensor a, int32_t dim0, int32_t dim1);
ft_tensor ft_slice(ft_tensor a, int32_t dim, double start, double end);
ft_tensor ft_cat(const ft_tensor *tensors, int32_t count, int32_t dim);
ft_tensor ft_silu(ft_tensor a);
ft_tensor ft_attention(ft_tensor q, ft_tensor k, ft_tensor v, int32_t causal);
ft_tensor ft_cross_entropy(ft_tensor logits, ft_tensor targets); /* sum of the NLL; targets below 0 are ignored */
ft_tensor ft_argmax(ft_tensor a, int32_t dim);
ft_tensor ft_top2_gap(ft_tensor logits); /* best less second best, of each row */
ft_tensor ft_equal(ft_tensor a, ft_tensor b);

/* fused.cpp: several ops in one pass, with their own backward */
ft_tensor ft_rms_norm(ft_tensor x, ft_tensor weight, double eps);
ft_tensor ft_rope(ft_tensor x, ft_tensor cos, ft_tensor sin, int32_t rotated, double start);
ft_tensor ft_swiglu(ft_tensor gate_up);

/* attention.cpp: causal self-attention over whole sequences; qkv (B, T, N, W) holds `heads` queries, then keys, values */
ft_tensor ft_self_attention(ft_tensor qkv, ft_tensor cos, ft_tensor sin, int32_t heads);

/* tree.cpp: the same over a tree of tokens (T, N, W) in preorder, without gradients; depths (T) are int64 on the CPU */
ft_tensor ft_tree_attention(ft_tensor qkv, ft_tensor cos, ft_tensor sin, int32_t heads, ft_tensor depths);

/* loss.cpp: unembedding and cross entropy, one chunk of logits at a time */
ft_tensor ft_linear_cross_entropy(ft_tensor x, ft_tensor weight, ft_tensor targets, double scale, int32_t chunk,
                                  double z_loss);
int32_t ft_linear_nll(ft_tensor x, ft_tensor weight, ft_tensor targets, int32_t chunk, ft_tensor *out); /* out[2]: NLL, argmax */

/* decode.cpp: linear maps of few rows. rows: 1 for our kernels, which take packed weights and whose results do not depend
   on the number of rows; 0 for libtorch's, which take the weights as they are */
ft_tensor ft_pack(ft_tensor weight); /* (out, in) to (panels, in, outputs of a panel) */
ft_tensor ft_decode_linear(ft_tensor x, ft_tensor weight, int32_t outputs, ft_tensor norm, double eps,
                           ft_tensor residual, int32_t rows); /* norm, residual: 0 for none */
int32_t ft_choices(ft_tensor logits, double *out, int32_t capacity); /* index of the largest of each row; rows */

/* cached.cpp: few rows over a cache, which takes in their keys and values. places[5 * count]: sequence, slot, position,
   visible prefix, bits of the visible slots behind it. Layouts of the cache, for our kernels: keys (S, G, blocks, W, 16),
   values (S, G, positions, W rounded up to 16); for libtorch's: both (S, positions, G, W) */
ft_tensor ft_cached_attention(ft_tensor qkv, ft_tensor cos, ft_tensor sin, ft_tensor keys, ft_tensor values,
                              int32_t heads, const int32_t *places, int32_t count, int32_t rows);
int32_t ft_cache_move(ft_tensor keys, ft_tensor values, int32_t sequence, int32_t from, int32_t to); /* one slot */

/* sample.cpp: tokens drawn from rows of logits or probabilities, on the CPU; uniform: in [0, 1) */
int32_t ft_penalize(ft_tensor logits, int32_t row, const int32_t *tokens, int32_t count, double penalty); /* in place */
ft_tensor ft_distributions(ft_tensor logits, double temperature, int32_t top_k, double top_p, double min_p);
int32_t ft_draw(ft_tensor probabilities, int32_t row, double uniform); /* index */
int32_t ft_draw_residual(ft_tensor p, int32_t p_row, ft_tensor q, int32_t q_row, double uniform); /* of max(0, p - q) */
int32_t ft_probability(ft_tensor probabilities, int32_t row, int32_t token, double *out);
int32_t ft_entropy(ft_tensor probabilities, int32_t row, double *out); /* nats */
int32_t ft_best(ft_tensor logits, int32_t row, int32_t *out, int32_t count); /* indices, the largest first */

/* autograd.cpp */
int32_t ft_require_grad(ft_tensor t);
int32_t ft_freeze(ft_tensor t); /* no gradients from now on */
int32_t ft_requires_grad(ft_tensor t); /* 1 or 0 */
ft_tensor ft_detach(ft_tensor t);
int32_t ft_backward(ft_tensor t, ft_tensor gradient); /* gradient 0: t is a scalar */
int32_t ft_has_grad(ft_tensor t);                     /* 1 or 0 */
ft_tensor ft_grad(ft_tensor t);
int32_t ft_clear_grads(const ft_tensor *tensors, int32_t count);
int32_t ft_set_grad_enabled(int32_t enabled); /* what it was: 1 or 0 */

/* optim.cpp: over all parameters at once; all have gradients */
ft_tensor ft_grad_norm(const ft_tensor *parameters, int32_t count);
int32_t ft_clip_grads(const ft_tensor *parameters, int32_t count, ft_tensor norm, double limit);
int32_t ft_adamw(const ft_tensor *parameters, const ft_tensor *means, const ft_tensor *squares, const ft_tensor *steps,
                 int32_t count, double lr, double beta1, double beta2, double decay, double eps, ft_tensor norm);
int32_t ft_muon(const ft_tensor *parameters, const ft_tensor *momenta, const ft_tensor *steps, int32_t count,
                const int32_t *parts, const double *rows, double lr, double momentum, double decay,
                ft_tensor norm); /* matrices; parameter i is parts[i] of them below one another, of so many rows each */
int32_t ft_lerp(const ft_tensor *means, const ft_tensor *values, int32_t count, double weight);
int32_t ft_swap(const ft_tensor *some, const ft_tensor *others, int32_t count); /* pairs exchange what they hold */

/* data.cpp: token shards, memory-mapped. A token of token_bytes has id token + offset; text_bytes[vocabulary], of each id */
ft_shards ft_shards_open(const char *paths, int32_t token_bytes, int32_t offset, int32_t end_token,
                         const int32_t *text_bytes, int32_t vocabulary); /* lines: a .bin path, its .idx path, and so on */
int32_t ft_shards_close(ft_shards shards);
int32_t ft_shards_tokens(ft_shards shards, int32_t shard, double *out);
int32_t ft_shards_gather(ft_shards shards, const int32_t *shard, const double *start, int32_t rows, int32_t length,
                         int32_t heads, int32_t predict_first, ft_tensor *out, double *counts);
int32_t ft_shards_prefetch(ft_shards shards, const int32_t *shard, const double *start, int32_t rows, int32_t length,
                           int32_t heads, int32_t predict_first);

/* save.cpp: a checkpoint's files, copied at once and written by a thread. Copy each, start, finish; one save at a time */
int32_t ft_save_reserve(const double *bytes, int32_t files, int32_t on_gpu); /* makes room for copies, in the background */
int32_t ft_save_copy(const char *path, const uint8_t *header, double header_bytes, const ft_tensor *tensors,
                     int32_t count);
int32_t ft_save_start(void);
int32_t ft_save_finish(int32_t wait, uint8_t *sha256, int32_t capacity); /* 0: still at work, else files; 32 bytes each */
int32_t ft_save_release(void); /* waits, and frees the copies */

/* energy.cpp: meters, which many machines do not show */
int32_t ft_cpu_energy(const char *folder, double *out, int32_t capacity); /* packages; of each: microjoules, their range */
int32_t ft_gpu_energy(int32_t device, double *out); /* 1, and joules; or 0 */

#ifdef __cplusplus
}
#endif
