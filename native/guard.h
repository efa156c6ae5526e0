// Handles and guards: who owns a tensor, and how an error leaves C++. Nothing thrown may cross into Deno: it would
// end the process.
#pragma once
#include <ATen/ATen.h>

#include <exception>
#include <string>
#include <vector>

#include "ft.h"

#define FT_EXPORT extern "C" __attribute__((visibility("default")))

namespace ft {

/// Keeps `t` under a fresh handle.
ft_tensor own(at::Tensor t);

/// The tensor behind a handle; throws when it was freed or never was. Valid until the next own() or ft_free().
const at::Tensor &get(ft_tensor handle);

/// As get(), with handle 0 for an undefined tensor.
at::Tensor get_optional(ft_tensor handle);

/// The tensors behind an array of handles.
std::vector<at::Tensor> get_all(const ft_tensor *handles, int32_t count);

void set_error(std::string message) noexcept;

/// Copies a string into the caller's buffer as far as it fits; returns its whole length in bytes.
int32_t copy_out(const std::string &text, char *out, int32_t capacity);

/// Runs `body`, which returns an int32_t; turns whatever it throws into a message and -1.
template <class Body> int32_t guard(Body &&body) noexcept {
  try {
    return body();
  } catch (const c10::Error &error) {
    set_error(error.what_without_backtrace());
  } catch (const std::exception &error) {
    set_error(error.what());
  } catch (...) {
    set_error("unknown C++ exception");
  }
  return -1;
}

/// guard() for a body that makes a tensor.
template <class Body> ft_tensor tensor(Body &&body) noexcept {
  return guard([&] { return own(body()); });
}

/// guard() for a body without a result.
template <class Body> int32_t done(Body &&body) noexcept {
  return guard([&] {
    body();
    return 0;
  });
}

} // namespace ft
