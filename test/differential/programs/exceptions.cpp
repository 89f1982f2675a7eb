// Exceptions through many frames with destructors, thrown again, caught in between; virtual calls,
// std::function, sorting.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct Trace {
	static unsigned n;
	unsigned k;

	explicit Trace(unsigned k) : k(k) {}

	__attribute__((noinline)) ~Trace() {
		n = n * 31 + k;
		for (unsigned i = 0; i < k % 4; i++)
			n ^= i << 3;
	}
};

unsigned Trace::n;

struct Err : std::runtime_error {
	unsigned at;

	Err(unsigned a) : std::runtime_error("err"), at(a) {}
};

__attribute__((noinline)) static unsigned down(unsigned n, unsigned lim) {
	Trace t(n);
	if (n == lim)
		throw Err(n);
	if (n > 30)
		return n;
	return down(n + 1, lim) + t.k;
}

__attribute__((noinline)) static unsigned rethrow(unsigned n) {
	try {
		return down(0, n);
	} catch (const Err &e) {
		if (e.at % 3 == 0)
			throw;
		return e.at;
	}
}

__attribute__((noinline)) static unsigned nested(unsigned n) {
	try {
		return rethrow(n);
	} catch (const std::exception &e) {
		try {
			Trace t(n);
			return rethrow(n + 3);
		} catch (...) {
			return 99;
		}
	}
}

struct Shape {
	virtual ~Shape() = default;
	virtual unsigned area(unsigned) const = 0;
};

struct Sq : Shape {
	unsigned s;

	Sq(unsigned s) : s(s) {}

	unsigned area(unsigned k) const override { return s * s * k; }
};

struct Bad : Shape {
	unsigned area(unsigned k) const override {
		if (k % 7 == 0)
			throw Err(k);
		return 1;
	}
};

struct Many : Shape {
	std::vector<std::unique_ptr<Shape>> v;

	unsigned area(unsigned k) const override {
		unsigned r = 0;
		for (auto &x : v) {
			try {
				r += x->area(k + 1);
			} catch (const Err &) {
				r++;
			}
		}
		return r;
	}
};

__attribute__((noinline)) static std::unique_ptr<Shape> build(unsigned d, unsigned s) {
	if (!d)
		return s % 3 ? std::unique_ptr<Shape>(new Sq(s % 9)) : std::unique_ptr<Shape>(new Bad);
	auto m = std::make_unique<Many>();
	for (unsigned i = 0; i <= s % 3; i++)
		m->v.push_back(build(d - 1, s * 13 + i));
	return m;
}

int main(int argc, char **argv) {
	unsigned s = 0, rounds = argc > 1 ? atoi(argv[1]) : 6;
	std::map<std::string, unsigned> words;
	std::vector<std::function<unsigned(unsigned)>> fs;
	fs.push_back([](unsigned x) { return x * 3; });
	fs.push_back([&](unsigned x) { return x + s; });
	fs.push_back(nested);
	for (unsigned i = 0; i < rounds; i++) {
		s += nested(i % 28) + build(3, i)->area(i);
		words["k" + std::to_string(i * 7 % 13)] += s;
		for (auto &f : fs)
			s += f(i % 20);
		std::vector<unsigned> v(40);
		for (unsigned j = 0; j < 40; j++)
			v[j] = (j * 7919 + i) % 101;
		std::sort(v.begin(), v.end(), [](unsigned a, unsigned b) {
			return a % 10 < b % 10 || (a % 10 == b % 10 && a < b);
		});
		s += v[i % 40];
	}
	for (auto &w : words)
		s += w.second;
	printf("%u %u\n", s, Trace::n);
}
