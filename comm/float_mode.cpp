#include "comm/float_mode.hpp"

#include <cstdint>
#include <limits>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace quartet {

void set_flush_to_zero() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_setcsr(_mm_getcsr() | 0x8040u);  // bit 15: flush results, bit 6: operands
#elif defined(__aarch64__)
  std::uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  control |= std::uint64_t{1} << 24;  // FZ: results and operands
  asm volatile("msr fpcr, %0" ::"r"(control));
#endif
}

bool flushes_to_zero() {
  volatile double smallest = std::numeric_limits<double>::min();
  volatile double half = smallest * 0.5;  // subnormal, unless results are flushed
  volatile float subnormal = std::numeric_limits<float>::denorm_min();
  volatile float kept = subnormal * 0x1p100f;  // normal, unless operands are
  return half == 0.0 && kept == 0.0f;
}

}  // namespace quartet
