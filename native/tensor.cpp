// Making, reading and describing tensors.
#include "tensor.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <cstring>

#include "guard.h"

namespace ft {

// Codes are the interface's own and never default: an unknown one must not become float32 in silence.
constexpr at::ScalarType DTYPES[] = {at::kFloat, at::kDouble, at::kBFloat16, at::kLong, at::kInt, at::kByte, at::kBool};

at::ScalarType dtype_of(int32_t code) {
  TORCH_CHECK(code >= 0 && code < (int32_t)std::size(DTYPES), "unknown dtype code ", code);
  return DTYPES[code];
}

at::Device device_of(int32_t code) {
  TORCH_CHECK(code >= 0, "unknown device code ", code);
  return code == 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, (c10::DeviceIndex)(code - 1));
}

std::vector<int64_t> shape_of(const double *shape, int32_t dims) { return {shape, shape + dims}; }

} // namespace ft

using namespace ft;

static at::TensorOptions options(int32_t dtype, int32_t device) {
  return at::TensorOptions().dtype(dtype_of(dtype)).device(device_of(device));
}

static void check_size(const at::Tensor &t, double bytes) {
  TORCH_CHECK((double)t.nbytes() == bytes, "a tensor of ", t.nbytes(), " bytes and a buffer of ", bytes);
}

FT_EXPORT ft_tensor ft_full(const double *shape, int32_t dims, double value, int32_t dtype, int32_t device) {
  return tensor([&] { return at::full(shape_of(shape, dims), value, options(dtype, device)); });
}

FT_EXPORT ft_tensor ft_randn(const double *shape, int32_t dims, int32_t dtype, int32_t device) {
  return tensor([&] { return at::randn(shape_of(shape, dims), options(dtype, device)); });
}

FT_EXPORT ft_tensor ft_from_bytes(const uint8_t *data, double bytes, const double *shape, int32_t dims,
                                  int32_t dtype) {
  return tensor([&] {
    auto t = at::empty(shape_of(shape, dims), options(dtype, 0));
    check_size(t, bytes);
    std::memcpy(t.data_ptr(), data, (size_t)bytes); // copied: the caller's buffer may move
    return t;
  });
}

FT_EXPORT ft_tensor ft_to(ft_tensor t, int32_t dtype, int32_t device) {
  return tensor([&] {
    const auto &source = get(t);
    const auto target = device_of(device);
    const bool uploads = source.is_cpu() && target.is_cuda() && at::hasCUDA();
    // A copy from pageable memory waits until the GPU has done all that it was given before; one from pinned does not.
    return (uploads ? source.pin_memory() : source).to(target, dtype_of(dtype), /*non_blocking=*/uploads);
  });
}

FT_EXPORT ft_tensor ft_clone(ft_tensor t) {
  return tensor([&] { return get(t).clone(); });
}

FT_EXPORT int32_t ft_to_bytes(ft_tensor t, uint8_t *out, double bytes) {
  return done([&] {
    const auto source = get(t).detach().to(at::kCPU).contiguous();
    check_size(source, bytes);
    std::memcpy(out, source.data_ptr(), (size_t)bytes);
  });
}

FT_EXPORT int32_t ft_fill_from_bytes(ft_tensor t, const uint8_t *data, double bytes) {
  return done([&] {
    at::NoGradGuard no_grad;
    const auto &into = get(t);
    check_size(into, bytes);
    into.copy_(at::from_blob(const_cast<uint8_t *>(data), into.sizes(), into.options().device(at::kCPU)));
  });
}

FT_EXPORT int32_t ft_fill_normal(ft_tensor t, double std, double seed) {
  return done([&] {
    at::NoGradGuard no_grad;
    // Drawn on the CPU whatever the device, so that every device starts from the same weights.
    auto generator = at::detail::createCPUGenerator((uint64_t)seed);
    const auto &into = get(t);
    into.copy_(at::empty(into.sizes(), into.options().device(at::kCPU)).normal_(0, std, generator));
  });
}

FT_EXPORT int32_t ft_copy(ft_tensor into, ft_tensor from) {
  return done([&] {
    at::NoGradGuard no_grad;
    TORCH_CHECK(get(into).sizes() == get(from).sizes(), "cannot copy ", get(from).sizes(), " into ", get(into).sizes());
    get(into).copy_(get(from));
  });
}

FT_EXPORT int32_t ft_item(ft_tensor t, double *out) {
  return done([&] { *out = get(t).item().toDouble(); });
}

FT_EXPORT int32_t ft_shape(ft_tensor t, double *out, int32_t capacity) {
  return guard([&] {
    const auto sizes = get(t).sizes();
    TORCH_CHECK((int32_t)sizes.size() <= capacity, "a tensor of ", sizes.size(), " dimensions");
    std::copy(sizes.begin(), sizes.end(), out);
    return (int32_t)sizes.size();
  });
}

FT_EXPORT int32_t ft_dtype(ft_tensor t) {
  return guard([&] {
    const auto type = get(t).scalar_type();
    const auto *found = std::find(std::begin(DTYPES), std::end(DTYPES), type);
    TORCH_CHECK(found != std::end(DTYPES), "no code for dtype ", c10::toString(type));
    return (int32_t)(found - DTYPES);
  });
}

FT_EXPORT int32_t ft_device(ft_tensor t) {
  return guard([&] {
    const auto device = get(t).device();
    return device.is_cpu() ? 0 : device.index() + 1;
  });
}
