// Maps, strings, virtual calls, sorting and a parser: the usual work of C++ programs.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
};

struct Circle : Shape {
  double radius;
  explicit Circle(double radius) : radius(radius) {}
  double area() const override { return 3.14159 * radius * radius; }
};

struct Triangle : Shape {
  double a, b, c;
  Triangle(double a, double b, double c) : a(a), b(b), c(c) {}
  double area() const override {
    double half = (a + b + c) / 2, product = half * (half - a) * (half - b) * (half - c);
    return product > 0 ? std::sqrt(product) : 0;
  }
};

static uint64_t state = 1;

static unsigned random_below(unsigned limit) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<unsigned>((state >> 33) % limit);
}

static std::string word() {
  std::string text;
  for (unsigned length = 1 + random_below(9); length > 0; length--) text += static_cast<char>('a' + random_below(26));
  return text;
}

template <class T>
static void quicksort(std::vector<T> &values, int low, int high) {
  while (low < high) {
    T pivot = values[(low + high) / 2];
    int i = low, j = high;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (pivot < values[j]) j--;
      if (i <= j) std::swap(values[i++], values[j--]);
    }
    if (j - low < high - i) {
      quicksort(values, low, j);
      low = i;
    } else {
      quicksort(values, i, high);
      high = j;
    }
  }
}

static long evaluate(const std::string &text, size_t &at) {
  auto operand = [&] {
    long value = 0;
    while (at < text.size() && std::isdigit(text[at])) value = value * 10 + (text[at++] - '0');
    return value;
  };
  long result = operand();
  while (at < text.size()) {
    char sign = text[at++];
    long value = operand();
    switch (sign) {
    case '+': result += value; break;
    case '-': result -= value; break;
    case '*': result = result * value % 1000003; break;
    case '/': result = value ? result / value : result; break;
    case '%': result = value ? result % value : result; break;
    case '&': result &= value; break;
    case '|': result |= value; break;
    default: result ^= value;
    }
  }
  return result;
}

int main(int argc, char **argv) {
  double total = 0;
  for (int rounds = argc > 1 ? std::atoi(argv[1]) : 1; rounds > 0; rounds--) {
    std::map<std::string, int> sorted;
    std::unordered_map<std::string, int> hashed;
    for (int i = 0; i < 4000; i++) {
      auto text = word();
      sorted[text]++;
      hashed[text] += i;
    }
    for (auto &[text, count] : sorted) total += count * static_cast<double>(text.size());
    for (auto &[text, sum] : hashed) total += sum % 7;
    std::vector<std::unique_ptr<Shape>> shapes;
    for (int i = 0; i < 4000; i++) {
      if (random_below(4) == 0) shapes.push_back(std::make_unique<Circle>(random_below(100)));
      else shapes.push_back(std::make_unique<Triangle>(3 + random_below(4), 4 + random_below(3), 5));
    }
    std::sort(shapes.begin(), shapes.end(), [](auto &a, auto &b) { return a->area() < b->area(); });
    for (auto &shape : shapes) total += shape->area();
    std::vector<int> values(10000);
    for (auto &value : values) value = static_cast<int>(random_below(100000));
    quicksort(values, 0, static_cast<int>(values.size()) - 1);
    total += values[values.size() / 2];
    for (int i = 0; i < 300; i++) {
      std::string text;
      for (int term = 0; term < 20; term++) {
        text += std::to_string(random_below(1000));
        text += "+-*/%&|^"[random_below(8)];
      }
      text += '1';
      size_t at = 0;
      total += static_cast<double>(evaluate(text, at));
    }
  }
  std::printf("%f\n", total);
}
