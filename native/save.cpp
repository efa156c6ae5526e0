// A checkpoint's files: copied where the step ends, then hashed, written and flushed by a thread of their own, so that
// training goes on. One save is in flight at a time; its buffers serve the next one.
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "guard.h"
#include "sha256.h"

namespace ft {
namespace {

/// Bytes that are hashed and written in turn, so that they are still in the cache.
constexpr size_t PIECE = 1 << 20;

/// What one file will hold. The buffer outlives the save and is often larger than the file.
struct File {
  std::string path;
  at::Tensor buffer;
  size_t bytes = 0;
  Digest digest{};

  const uint8_t *data() const { return static_cast<const uint8_t *>(buffer.const_data_ptr()); }
};

struct Save {
  std::vector<File> files; // the first `count` are of this save
  size_t count = 0;
  std::thread writer;
  bool reserving = false; // the thread does not write, it makes room
  std::atomic<bool> ended = false;
  std::string error; // the writer's, to be read after it has ended
};

// Never destroyed: the process may end at once while the thread still reads them.
Save &save = *new Save();

[[noreturn]] void refuse() {
  const int reason = errno;
  throw std::runtime_error(std::string(std::strerror(reason)) + " (os error " + std::to_string(reason) + ")");
}

/// A file descriptor that is closed whatever happens.
struct Descriptor {
  int number;
  ~Descriptor() { ::close(number); }
};

void write_file(File &file) {
  const Descriptor out{::open(file.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (out.number < 0) refuse();
  Sha256 hash;
  for (size_t at = 0; at < file.bytes;) {
    const size_t piece = std::min(PIECE, file.bytes - at);
    hash.update(file.data() + at, piece);
    for (const size_t end = at + piece; at < end;) {
      const ssize_t written = ::write(out.number, file.data() + at, end - at);
      if (written >= 0)
        at += (size_t)written;
      else if (errno != EINTR)
        refuse();
    }
  }
  if (::fsync(out.number) != 0) refuse();
  file.digest = hash.finish();
}

/// Training goes first; where the system refuses that, it does not matter.
void give_way() { ::setpriority(PRIO_PROCESS, (id_t)::syscall(SYS_gettid), 10); }

void write_files() noexcept {
  give_way();
  try {
    for (size_t i = 0; i < save.count; i++) write_file(save.files[i]);
  } catch (const std::exception &error) {
    save.error = error.what();
  }
  save.ended = true;
}

constexpr uintptr_t HUGE_PAGE = 2 << 20;

/// Asks for huge pages: to be given a gigabyte in pages of 4 kB takes longer than to copy it.
void ask_for_huge_pages(const at::Tensor &buffer) {
  const auto begin = reinterpret_cast<uintptr_t>(buffer.data_ptr()), end = begin + buffer.nbytes();
  const uintptr_t first = (begin + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  if (first + HUGE_PAGE <= end) ::madvise(reinterpret_cast<void *>(first), end - first, MADV_HUGEPAGE);
}

/// Room for `bytes`; where tensors lie on a GPU, in pages that it can write to by itself, as far as there are any.
void reserve(at::Tensor &buffer, size_t bytes, bool on_gpu) {
  if (buffer.defined() && (size_t)buffer.numel() >= bytes) return;
  buffer.reset(); // before the new one is made
  if (on_gpu) {
    try {
      buffer = at::empty({(int64_t)bytes}, at::TensorOptions(at::kByte).pinned_memory(true));
      return;
    } catch (const c10::Error &) { // they are a scarce kind of memory; the other kind is slower
    }
  }
  buffer = at::empty({(int64_t)bytes}, at::kByte);
  ask_for_huge_pages(buffer);
}

/// Room for files of these sizes. Every page is written to: to be given them takes seconds on some machines.
void reserve_files(std::vector<size_t> sizes, bool on_gpu) noexcept {
  give_way();
  try {
    for (size_t i = 0; i < sizes.size(); i++) {
      reserve(save.files[i].buffer, sizes[i], on_gpu);
      std::memset(save.files[i].buffer.data_ptr(), 0, sizes[i]);
    }
  } catch (const std::exception &) { // the save itself will say it
  }
}

/// Copies tensors that lie on the CPU to `into`, end to end, with all threads at once: a parallel loop for each tensor
/// would have the threads wait for each other hundreds of times.
void copy_from_cpu(uint8_t *into, const std::vector<at::Tensor> &tensors, size_t bytes) {
  at::parallel_for(0, (int64_t)bytes, PIECE, [&](int64_t begin, int64_t end) {
    int64_t start = 0; // of the tensor
    for (const auto &t : tensors) {
      const int64_t stop = start + (int64_t)t.nbytes(), from = std::max(begin, start), to = std::min(end, stop);
      if (from < to) std::memcpy(into + from, static_cast<const uint8_t *>(t.const_data_ptr()) + (from - start), to - from);
      start = stop;
    }
  });
}

void copy_from_gpu(uint8_t *into, const std::vector<at::Tensor> &tensors, at::Device device) {
  for (const auto &t : tensors) {
    at::from_blob(into, t.sizes(), t.options().device(at::kCPU)).copy_(t, /*non_blocking=*/true);
    into += t.nbytes();
  }
  at::accelerator::synchronizeDevice(device.index());
}

void copy_file(File &file, const uint8_t *header, size_t header_bytes, std::vector<at::Tensor> tensors) {
  at::NoGradGuard no_grad;
  size_t bytes = 0;
  for (auto &t : tensors) bytes += (t = t.contiguous()).nbytes();
  const auto on_gpu = std::find_if(tensors.begin(), tensors.end(), [](const at::Tensor &t) { return !t.is_cpu(); });
  file.bytes = header_bytes + bytes;
  reserve(file.buffer, file.bytes, on_gpu != tensors.end());
  auto *into = static_cast<uint8_t *>(file.buffer.data_ptr());
  std::memcpy(into, header, header_bytes);
  if (on_gpu == tensors.end())
    copy_from_cpu(into + header_bytes, tensors, bytes);
  else
    copy_from_gpu(into + header_bytes, tensors, on_gpu->device());
}

void join() {
  if (save.writer.joinable()) save.writer.join();
  save.reserving = false;
}

} // namespace
} // namespace ft

using namespace ft;

FT_EXPORT int32_t ft_save_reserve(const double *bytes, int32_t files, int32_t on_gpu) {
  return done([&] {
    TORCH_CHECK(!save.writer.joinable(), "a save is in flight");
    if (save.files.size() < (size_t)files) save.files.resize(files);
    save.reserving = true;
    save.writer = std::thread(reserve_files, std::vector<size_t>(bytes, bytes + files), on_gpu != 0);
  });
}

FT_EXPORT int32_t ft_save_copy(const char *path, const uint8_t *header, double header_bytes, const ft_tensor *tensors,
                               int32_t count) {
  return done([&] {
    if (save.reserving) join();
    TORCH_CHECK(!save.writer.joinable(), "a save is in flight");
    if (save.count == save.files.size()) save.files.emplace_back();
    File &file = save.files[save.count];
    file.path = path;
    copy_file(file, header, (size_t)header_bytes, get_all(tensors, count));
    save.count++;
  });
}

FT_EXPORT int32_t ft_save_start(void) {
  return done([&] {
    TORCH_CHECK(!save.writer.joinable(), "a save is in flight");
    save.ended = false;
    save.error.clear();
    save.writer = std::thread(write_files);
  });
}

FT_EXPORT int32_t ft_save_finish(int32_t wait, uint8_t *sha256, int32_t capacity) {
  return guard([&]() -> int32_t {
    TORCH_CHECK(save.writer.joinable() && !save.reserving, "no save is in flight");
    if (!wait && !save.ended) return 0;
    join();
    const auto count = (int32_t)std::exchange(save.count, 0);
    if (!save.error.empty()) throw std::runtime_error(save.error);
    TORCH_CHECK(count * (int32_t)sizeof(Digest) <= capacity, count, " checksums");
    for (int32_t i = 0; i < count; i++) std::memcpy(sha256 + i * sizeof(Digest), save.files[i].digest.data(), sizeof(Digest));
    return count;
  });
}

FT_EXPORT int32_t ft_save_release(void) {
  return done([&] {
    join();
    save.files.clear();
    save.count = 0;
  });
}
