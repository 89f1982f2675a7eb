// Coroutines that await each other: what is inlined into their parts has probes, and their parts have names that no probe has.
#include <coroutine>
#include <cstdio>
#include <exception>
#include <stdexcept>

struct Task {
  struct promise_type {
    long value = 0;
    std::exception_ptr error;
    std::coroutine_handle<> waiting;
    Task get_return_object() { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> done) noexcept {
        auto waiting = done.promise().waiting;
        return waiting ? waiting : std::noop_coroutine();
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(long result) { value = result; }
    void unhandled_exception() { error = std::current_exception(); }
  };
  std::coroutine_handle<promise_type> handle;
  explicit Task(std::coroutine_handle<promise_type> of) : handle(of) {}
  Task(Task &&other) : handle(other.handle) { other.handle = {}; }
  ~Task() {
    if (handle) handle.destroy();
  }
  bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    handle.promise().waiting = caller;
    return handle;
  }
  long await_resume() {
    if (handle.promise().error) std::rethrow_exception(handle.promise().error);
    return handle.promise().value;
  }
};

Task leaf(long n) {
  long sum = 0;
  for (long i = 0; i < n; i++) sum += i % 13 == 12 ? -i : i;
  if (n % 17 == 5) throw std::runtime_error("five");
  co_return sum;
}

Task middle(long n) {
  long sum = 0;
  for (long i = 0; i < 5; i++) {
    try {
      sum += co_await leaf(n + i);
    } catch (std::exception &) {
      sum ^= 0x55;
    }
  }
  co_return sum;
}

Task top(long n) {
  long sum = 0;
  for (long i = 0; i < n; i++) sum += co_await middle(i % 40);
  co_return sum;
}

int main() {
  auto task = top(300);
  task.handle.resume();
  std::printf("%ld\n", task.handle.promise().value);
}
