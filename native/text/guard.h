// Errors and handles of the text library. Nothing thrown may cross into Deno: it would end the process.
#pragma once
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "text.h"

#define FT_EXPORT extern "C" __attribute__((visibility("default")))

namespace ft::text {

/// What a handle stands for.
struct Object {
  virtual ~Object() = default;
};

/// Keeps an object under a fresh handle.
int32_t own(std::shared_ptr<Object> object);

/// The object behind a handle; throws when it was freed or never was.
std::shared_ptr<Object> find(int32_t handle);

/// The object behind a handle, which must be a `T`.
template <class T> std::shared_ptr<T> get(int32_t handle) {
  auto object = std::dynamic_pointer_cast<T>(find(handle));
  if (!object) throw std::invalid_argument("the handle is of another kind: " + std::to_string(handle));
  return object;
}

void set_error(std::string message) noexcept;

/// Runs `body`, which returns an int32_t; turns whatever it throws into a message and -1.
template <class Body> int32_t guard(Body &&body) noexcept {
  try {
    return body();
  } catch (const std::exception &error) {
    set_error(error.what());
  } catch (...) {
    set_error("unknown C++ exception");
  }
  return -1;
}

/// guard() for a body without a result.
template <class Body> int32_t done(Body &&body) noexcept {
  return guard([&] {
    body();
    return 0;
  });
}

} // namespace ft::text
