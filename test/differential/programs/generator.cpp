// A coroutine that is inlined into its caller in part: its probes have callers whose own call has no probe.
#include <coroutine>
#include <cstdio>

struct Numbers {
  struct promise_type {
    int value = 0;
    Numbers get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(int next) {
      value = next;
      return {};
    }
    void return_void() {}
    void unhandled_exception() {}
  };
  std::coroutine_handle<promise_type> handle;
};

__attribute__((noinline)) int mix(int seed) {
  int sum = seed;
  for (int i = 0; i < (seed & 7); i++) sum = sum * 31 + i;
  return sum;
}

__attribute__((noinline)) Numbers count_to(int limit) {
  for (int i = 0; i < limit; i++) co_yield mix(i);
}

__attribute__((noinline)) int add_up(Numbers numbers) {
  int sum = 0;
  while (!numbers.handle.done()) {
    numbers.handle.resume();
    sum += numbers.handle.promise().value;
  }
  numbers.handle.destroy();
  return sum;
}

int main() {
  unsigned sum = 0;
  for (int i = 0; i < 800; i++) sum += add_up(count_to(i % 40)) + mix(i);
  std::printf("%u\n", sum);
}
