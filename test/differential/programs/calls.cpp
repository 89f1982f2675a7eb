// Deep recursion, virtual calls, a lambda, an exception, functions that call each other, tail calls.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

struct Shape {
	virtual ~Shape() = default;
	virtual unsigned area(unsigned scale) const = 0;
};

struct Square : Shape {
	unsigned side;
	explicit Square(unsigned s) : side(s) {}
	unsigned area(unsigned scale) const override { return side * side * scale; }
};

struct Group : Shape {
	std::vector<std::unique_ptr<Shape>> parts;
	unsigned area(unsigned scale) const override {
		unsigned sum = 0;
		for (const auto &part : parts)
			sum += part->area(scale + 1);
		return sum;
	}
};

static std::unique_ptr<Shape> build(unsigned depth, unsigned seed) {
	if (depth == 0)
		return std::make_unique<Square>(seed % 7);
	auto group = std::make_unique<Group>();
	for (unsigned i = 0; i <= seed % 3; i++)
		group->parts.push_back(build(depth - 1, seed * 31 + i));
	return group;
}

__attribute__((noinline)) unsigned odd(unsigned n);
__attribute__((noinline)) unsigned even(unsigned n) { return n == 0 ? 1 : odd(n - 1); }
__attribute__((noinline)) unsigned odd(unsigned n) { return n == 0 ? 0 : even(n - 1); }

__attribute__((noinline)) unsigned collatz(unsigned long n) {
	if (n == 1)
		return 0;
	return 1 + collatz(n % 2 ? 3 * n + 1 : n / 2);
}

__attribute__((noinline)) unsigned leaf(unsigned n) {
	unsigned sum = 0;
	for (unsigned i = 0; i < n % 17; i++)
		sum += i * n;
	return sum;
}
__attribute__((noinline)) unsigned relay(unsigned n) { return leaf(n + 1); }
__attribute__((noinline)) unsigned begin(unsigned n) { return n % 3 ? relay(n) : relay(n + 5); }

static unsigned checked(unsigned n) {
	if (n % 101 == 0)
		throw std::runtime_error("one hundred and one");
	return leaf(n);
}

int main(int argc, char **argv) {
	unsigned rounds = argc > 1 ? std::atoi(argv[1]) : 60, sum = 0;
	for (unsigned round = 0; round < rounds; round++) {
		sum += build(6, round)->area(round);
		sum += even(round % 50) + collatz(round + 27) + begin(round);
		auto twice = [&](unsigned n) { return begin(n) + begin(n + 1); };
		for (unsigned i = 0; i < 40; i++) {
			try {
				sum += twice(i) + checked(i * round);
			} catch (const std::exception &) {
				sum++;
			}
		}
	}
	std::printf("%u\n", sum);
}
