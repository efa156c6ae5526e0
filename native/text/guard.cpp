// Handles, the message of the last error, the lock on exec.
#include "guard.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <mutex>
#include <unordered_map>

#include "../refuse_exec.h"

namespace ft::text {
namespace {

// Never destroyed: another thread may still be in a call when the process ends.
std::mutex &lock = *new std::mutex();
auto &objects = *new std::unordered_map<int32_t, std::shared_ptr<Object>>();
int32_t last_handle = 0; // none is used twice
thread_local std::string last_error;

} // namespace

int32_t own(std::shared_ptr<Object> object) {
  const std::lock_guard<std::mutex> held(lock);
  if (last_handle == INT32_MAX) throw std::length_error("no handle is left");
  objects.emplace(++last_handle, std::move(object));
  return last_handle;
}

std::shared_ptr<Object> find(int32_t handle) {
  const std::lock_guard<std::mutex> held(lock);
  const auto found = objects.find(handle);
  if (found == objects.end()) throw std::invalid_argument("there is no handle " + std::to_string(handle));
  return found->second;
}

void set_error(std::string message) noexcept { last_error = std::move(message); }

} // namespace ft::text

using namespace ft::text;

FT_EXPORT int32_t ft_text_abi_version(void) { return FT_TEXT_ABI_VERSION; }

FT_EXPORT int32_t ft_text_last_error(char *out, int32_t capacity) {
  std::memcpy(out, last_error.data(), std::min<size_t>(last_error.size(), std::max(capacity, 0)));
  return (int32_t)last_error.size();
}

FT_EXPORT int32_t ft_text_free(int32_t handle) {
  return done([&] {
    const auto object = find(handle); // outlives the lock: it may take long to go
    const std::lock_guard<std::mutex> held(lock);
    objects.erase(handle);
  });
}

FT_EXPORT int32_t ft_text_peak_memory(double *out) {
  return done([&] {
    const std::string key = "VmHWM:"; // in kilobytes; getrusage() has the parent's peak in it
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(key)) {
        *out = std::stod(line.substr(key.size())) * 1024;
        return;
      }
    throw std::runtime_error("/proc/self/status has no VmHWM");
  });
}

FT_EXPORT int32_t ft_text_refuse_exec(void) {
  return done([] { ft::refuse_exec(); });
}
