// Virtual calls, and exceptions that are thrown and caught again and again.
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
};

struct Square : Shape {
  double side;
  explicit Square(double side) : side(side) {}
  double area() const override { return side * side; }
};

struct Circle : Shape {
  double radius;
  explicit Circle(double radius) : radius(radius) {}
  double area() const override {
    if (radius > 90) throw std::runtime_error("too large");
    return 3.14 * radius * radius;
  }
};

static std::map<std::string, int> seen;

__attribute__((noinline)) static double total(const std::vector<std::unique_ptr<Shape>> &shapes) {
  double sum = 0;
  for (const auto &shape : shapes) {
    try {
      sum += shape->area();
    } catch (const std::exception &error) {
      seen[error.what()]++;
    }
  }
  return sum;
}

int main() {
  std::vector<std::unique_ptr<Shape>> shapes;
  for (int i = 0; i < 300; i++) {
    if (i % 3) shapes.push_back(std::make_unique<Square>(i));
    else shapes.push_back(std::make_unique<Circle>(i % 100));
  }
  double sum = 0;
  for (int i = 0; i < 60; i++) {
    sum += total(shapes);
    seen[std::to_string(i % 13)] += i;
  }
  std::printf("%f %zu\n", sum, seen.size());
}
