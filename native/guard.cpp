// Handles, live count and the message of the last error.
#include "guard.h"

#include <cstring>
#include <deque>
#include <vector>

namespace ft {
namespace {

constexpr int32_t SLOT_BITS = 20; // a million live tensors; the 11 bits above count the slot's reuses
constexpr int32_t SLOT_MASK = (1 << SLOT_BITS) - 1;
constexpr int32_t GENERATIONS = 1 << (31 - SLOT_BITS);

struct Slot {
  at::Tensor tensor;
  int32_t generation = 0;
};

// A deque: references stay valid while it grows. Never destroyed: libtorch may be gone by then.
std::deque<Slot> &slots = *new std::deque<Slot>(1); // slot 0 is "no tensor"
std::vector<int32_t> &free_slots = *new std::vector<int32_t>();
int32_t live = 0;
thread_local std::string last_error;

Slot &find(ft_tensor handle) {
  const int32_t slot = handle & SLOT_MASK;
  TORCH_CHECK(handle > 0 && slot < (int32_t)slots.size(), "not a tensor handle: ", handle);
  Slot &found = slots[slot];
  TORCH_CHECK(found.tensor.defined() && found.generation == handle >> SLOT_BITS, "the tensor was freed");
  return found;
}

} // namespace

ft_tensor own(at::Tensor t) {
  TORCH_CHECK(t.defined(), "the operation gave no tensor");
  int32_t slot;
  if (free_slots.empty()) {
    slot = (int32_t)slots.size();
    TORCH_CHECK(slot <= SLOT_MASK, "more than ", SLOT_MASK, " live tensors: is a scope missing?");
    slots.emplace_back();
  } else {
    slot = free_slots.back();
    free_slots.pop_back();
  }
  slots[slot].tensor = std::move(t);
  live++;
  return slots[slot].generation << SLOT_BITS | slot;
}

const at::Tensor &get(ft_tensor handle) { return find(handle).tensor; }

at::Tensor get_optional(ft_tensor handle) { return handle == 0 ? at::Tensor() : get(handle); }

std::vector<at::Tensor> get_all(const ft_tensor *handles, int32_t count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(count);
  for (int32_t i = 0; i < count; i++) tensors.push_back(get(handles[i]));
  return tensors;
}

void set_error(std::string message) noexcept { last_error = std::move(message); }

int32_t copy_out(const std::string &text, char *out, int32_t capacity) {
  std::memcpy(out, text.data(), std::min<size_t>(text.size(), std::max(capacity, 0)));
  return (int32_t)text.size();
}

} // namespace ft

using namespace ft;

FT_EXPORT int32_t ft_abi_version(void) { return FT_ABI_VERSION; }

FT_EXPORT int32_t ft_last_error(char *out, int32_t capacity) { return copy_out(last_error, out, capacity); }

FT_EXPORT int32_t ft_live_tensors(void) { return live; }

FT_EXPORT int32_t ft_free(ft_tensor t) {
  return done([&] {
    Slot &slot = find(t);
    slot.tensor.reset();
    slot.generation = (slot.generation + 1) % GENERATIONS;
    free_slots.push_back(t & SLOT_MASK);
    live--;
  });
}
