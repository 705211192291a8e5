#include "pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace seqtag {
namespace {

// Numbers below the smallest normal one count as 0 while it lives, as on TensorFlow's own threads: a thread that keeps them
// would have other bits, and take many times as long.
class WithoutSubnormals {
 public:
#if defined(__x86_64__)
  WithoutSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~WithoutSubnormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  WithoutSubnormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (uint64_t(1) << 24)));
  }
  ~WithoutSubnormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_;
#endif
};

struct Job {
  Job(int64_t count, const std::function<void(int64_t)>& task) : count(count), task(task) {}

  // Works until no task is left that nobody has begun.
  void work() {
    const WithoutSubnormals set;
    for (int64_t n = next++; n < count; n = next++) {
      task(n);
      if (++done == count) {
        // Under the lock, since the caller may be between its look at `done` and its sleep.
        std::lock_guard<std::mutex> lock(mutex);
        all_done.notify_all();
      }
    }
  }

  void wait() {
    std::unique_lock<std::mutex> lock(mutex);
    all_done.wait(lock, [this] { return done == count; });
  }

  const int64_t count;
  const std::function<void(int64_t)>& task;  // outlives the job's last task: the caller waits
  std::atomic<int64_t> next{0}, done{0};
  std::mutex mutex;
  std::condition_variable all_done;
};

class Pool {
 public:
  void resize(int count) {
    std::lock_guard<std::mutex> lock(mutex_);
    wanted_ = std::max(1, count);
  }

  int size() {
    std::lock_guard<std::mutex> lock(mutex_);
    return wanted_;
  }

  void run(int64_t count, const std::function<void(int64_t)>& task) {
    auto job = std::make_shared<Job>(count, task);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      const int64_t helpers = std::min<int64_t>(count, wanted_) - 1;
      for (int64_t n = 0; n < helpers; ++n) jobs_.push_back(job);
      while (started_ < wanted_ - 1) {
        ++started_;
        std::thread([this] { serve(); }).detach();
      }
    }
    wake_.notify_all();
    job->work();
    job->wait();
  }

 private:
  void serve() {
    for (;;) {
      std::shared_ptr<Job> job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [this] { return !jobs_.empty(); });
        job = jobs_.front();
        jobs_.pop_front();
      }
      job->work();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> jobs_;
  int wanted_ = 1;
  int started_ = 0;
};

// Never freed: its threads wait on it until the process ends. A forked child has none of them, and begins a new one.
Pool* pool = new Pool;
int wanted = 1;

void after_fork() {
  pool = new Pool;
  pool->resize(wanted);
}

const int registered = pthread_atfork(nullptr, nullptr, after_fork);

}  // namespace

void set_threads(int count) {
  wanted = count;
  pool->resize(count);
}

int threads() { return pool->size(); }

void in_parallel(int64_t count, const std::function<void(int64_t)>& task) {
  if (count == 1) {
    const WithoutSubnormals set;
    return task(0);
  }
  if (count > 0) pool->run(count, task);
}

}  // namespace seqtag
