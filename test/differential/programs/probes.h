#include <cstdint>

std::uint32_t other_helper(std::uint32_t value);
std::uint32_t rotate(std::uint32_t value);
