// Work on many documents, shared among threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

namespace ft::text {

/// Documents in one buffer, one after the other.
struct Documents {
  const char *text;
  const double *ends;
  int32_t count;

  Documents(const uint8_t *text, const double *ends, int32_t count)
      : text((const char *)text), ends(ends), count(count) {
    for (double start = 0; const double end : std::span(ends, count)) {
      if (!(end >= start)) throw std::invalid_argument("the documents are not in order");
      start = end;
    }
  }

  const char *begin(int32_t i) const { return text + (i == 0 ? 0 : (size_t)ends[i - 1]); }
  const char *end(int32_t i) const { return text + (size_t)ends[i]; }
};

/// Calls work(worker, document) for every document. Which worker gets which one is left to chance.
template <class Work> void for_each_document(int32_t workers, int32_t documents, Work &&work) {
  std::atomic<int32_t> next = 0;
  std::vector<std::exception_ptr> failures(workers);
  const auto run = [&](int32_t worker) noexcept {
    try {
      for (int32_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < documents;) work(worker, i);
    } catch (...) {
      failures[worker] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (int32_t worker = 1; worker < workers; worker++) others.emplace_back(run, worker);
    run(0);
  }
  for (const auto &failure : failures)
    if (failure) std::rethrow_exception(failure);
}

/// Each keeps some megabytes.
constexpr int32_t MAX_WORKERS = 64;

/// Workers that are of use: never more than documents.
inline int32_t workers_for(int32_t threads, int32_t documents) {
  if (threads < 1) throw std::invalid_argument("no thread to work with");
  return std::max(1, std::min({threads, documents, MAX_WORKERS}));
}

} // namespace ft::text
