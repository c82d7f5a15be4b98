/// Elementary functions with the same bits on every machine.
///
/// glibc picks its exp, log, sin and pow by the machine (with or without fused multiply-add), and
/// their last bits differ. These are built from + − × ÷ and operations on bits alone, which IEEE
/// 754 defines exactly; with -ffp-contract=off every compiler and machine gives the same result.
/// They have no branches, so that loops over arrays vectorise.
///
/// Subnormal numbers count as zero, in arguments and results, so that the bits do not depend on
/// the thread's FTZ and DAZ flags either.
#pragma once

#include <bit>
#include <cfloat>
#include <cstdint>
#include <limits>

#ifdef __FAST_MATH__
#error "Quartet needs IEEE arithmetic: build without -ffast-math and -Ofast"
#endif
static_assert(FLT_EVAL_METHOD == 0, "Quartet needs IEEE arithmetic: on x86, build with SSE2");

namespace quartet::math {

inline constexpr double pi = 3.14159265358979323846;

inline constexpr double radians(double degrees) { return degrees * (pi / 180.0); }
inline constexpr double degrees(double radians) { return radians * (180.0 / pi); }

namespace detail {

// Adding this constant rounds to the nearest integer, which then stands in the lowest bits.
inline constexpr double round_double = 0x1.8p52;
inline constexpr float round_float = 0x1.8p23f;

/// yes where `condition`, else no. A select on bits: the compiler turns it into a blend, where it
/// might sink arithmetic into the arms of `?:` and then not vectorise.
inline double select(bool condition, double yes, double no) {
  const std::uint64_t mask = -static_cast<std::uint64_t>(condition);
  return std::bit_cast<double>((std::bit_cast<std::uint64_t>(yes) & mask) |
                               (std::bit_cast<std::uint64_t>(no) & ~mask));
}
inline float select(bool condition, float yes, float no) {
  const std::uint32_t mask = -static_cast<std::uint32_t>(condition);
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(yes) & mask) |
                              (std::bit_cast<std::uint32_t>(no) & ~mask));
}

inline double abs(double x) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & 0x7fff'ffff'ffff'ffffu);
}
/// |magnitude| with the sign of `sign`.
inline double copy_sign(double magnitude, double sign) {
  return std::bit_cast<double>((std::bit_cast<std::uint64_t>(magnitude) & 0x7fff'ffff'ffff'ffffu) |
                               (std::bit_cast<std::uint64_t>(sign) & 0x8000'0000'0000'0000u));
}

/// 2ⁿ for −1022 ≤ n ≤ 1023 (double) and −126 ≤ n ≤ 127 (float).
inline double power_of_two(std::int64_t n) {
  return std::bit_cast<double>((static_cast<std::uint64_t>(n) + 1023u) << 52);
}
inline float power_of_two(std::int32_t n) {
  return std::bit_cast<float>((static_cast<std::uint32_t>(n) + 127u) << 23);
}

/// sin(r) for |r| ≤ π/4 (coefficients: fdlibm k_sin.c).
inline double sin_kernel(double r) {
  const double z = r * r;
  double p = 1.58969099521155010221e-10;
  p = p * z - 2.50507602534068634195e-08;
  p = p * z + 2.75573137070700676789e-06;
  p = p * z - 1.98412698298579493134e-04;
  p = p * z + 8.33333333332248946124e-03;
  p = p * z - 1.66666666666666324348e-01;
  return r + r * z * p;
}
/// cos(r) for |r| ≤ π/4 (coefficients: fdlibm k_cos.c).
inline double cos_kernel(double r) {
  const double z = r * r;
  double p = -1.13596475577881948265e-11;
  p = p * z + 2.08757232129817482790e-09;
  p = p * z - 2.75573143513906633035e-07;
  p = p * z + 2.48015872894767294178e-05;
  p = p * z - 1.38888888888741095749e-03;
  p = p * z + 4.16666666666666019037e-02;
  // 1 − z/2 loses bits; `rest` brings them back.
  const double half = 0.5 * z;
  const double w = 1.0 - half;
  const double rest = (1.0 - w) - half;
  return w + (rest + z * z * p);
}

/// sin(x + quadrants·π/2).
inline double sin_quadrant(double x, std::uint64_t quadrants) {
  const double n = x * (2.0 / pi) + round_double;
  const double k = n - round_double;
  // π/2 in three parts of 33 bits: k·part is exact for |k| < 2²⁰.
  const double r = ((x - k * 1.57079632673412561417e+00) - k * 6.07710050630396597660e-11) -
                   k * 2.02226624879595063154e-21;
  const std::uint64_t quadrant = std::bit_cast<std::uint64_t>(n) + quadrants;
  const double y = select((quadrant & 1) != 0, cos_kernel(r), sin_kernel(r));
  const double signed_y =
      std::bit_cast<double>(std::bit_cast<std::uint64_t>(y) ^ ((quadrant & 2) << 62));
  const double flushed = select(abs(y) < DBL_MIN, 0.0, signed_y);
  return select(abs(x) <= 1e6, flushed, std::numeric_limits<double>::quiet_NaN());
}

}  // namespace detail

/// eˣ to 1 ulp; inf from x > 709.78, 0 from x < −708.39.
inline double exp(double x) {
  using namespace detail;
  x = select(x > 710.0, 710.0, x);
  x = select(x < -710.0, -710.0, x);
  // x = n ln 2 + r, |r| ≤ ln 2 / 2; ln 2 in two parts, n·(first part) is exact.
  const double n = x * 1.44269504088896338700 + round_double;
  const double k = n - round_double;
  const double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
  // Taylor series; the remainder after r¹³ is under 1e-17.
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = 1.0 + (r + r * r * p);
  // 2ⁿ in two factors, since n = 1024 has none of its own.
  const std::int64_t i = static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(n) -
                                                   std::bit_cast<std::uint64_t>(round_double));
  const std::int64_t half = i >> 1;
  const double y = p * power_of_two(half) * power_of_two(i - half);
  return select(y < DBL_MIN, 0.0, y);
}
/// eˣ to 1e-7 relative; inf from x > 88.72, 0 from x < −87.33.
inline float exp(float x) {
  using namespace detail;
  x = select(x > 89.0f, 89.0f, x);
  x = select(x < -89.0f, -89.0f, x);
  const float n = x * 1.44269504f + round_float;
  const float k = n - round_float;
  const float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
  float p = 1.0f / 5040.0f;
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = 1.0f + (r + r * r * p);
  const std::int32_t i = static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(n) -
                                                   std::bit_cast<std::uint32_t>(round_float));
  const std::int32_t half = i >> 1;
  const float y = p * power_of_two(half) * power_of_two(i - half);
  return select(y < FLT_MIN, 0.0f, y);
}

/// Natural logarithm to 1 ulp; −inf at 0, nan below (coefficients: fdlibm e_log.c).
inline double log(double x) {
  using namespace detail;
  // x = 2ᵏ m, √½ ≤ m < √2.
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t exponent =
      static_cast<std::uint64_t>(static_cast<std::int64_t>(bits - 0x3fe6'a09e'667f'3bcdu) >> 52);
  const double k =
      std::bit_cast<double>(std::bit_cast<std::uint64_t>(round_double) + exponent) - round_double;
  const double f = std::bit_cast<double>(bits - (exponent << 52)) - 1.0;
  // ln(1 + f) = 2 artanh s with s = f / (2 + f).
  const double s = f / (2.0 + f);
  const double z = s * s;
  double p = 1.479819860511658591e-01;
  p = p * z + 1.531383769920937332e-01;
  p = p * z + 1.818357216161805012e-01;
  p = p * z + 2.222219843214978396e-01;
  p = p * z + 2.857142874366239149e-01;
  p = p * z + 3.999999999940941908e-01;
  p = p * z + 6.666666666666735130e-01;
  p = p * z;
  const double half = 0.5 * f * f;
  double y = k * 6.93147180369123816490e-01 -
             ((half - (s * (half + p) + k * 1.90821492927058770002e-10)) - f);
  y = select(x < DBL_MIN, -std::numeric_limits<double>::infinity(), y);
  y = select(x <= -DBL_MIN, std::numeric_limits<double>::quiet_NaN(), y);
  return select(x < std::numeric_limits<double>::infinity(), y, x);  // inf and nan
}

/// Sine and cosine of radians to 1e-15 absolute; nan beyond |x| = 1e6, where the reduction to a
/// quadrant would lose digits.
inline double sin(double x) { return detail::sin_quadrant(x, 0); }
inline double cos(double x) { return detail::sin_quadrant(x, 1); }

/// Angle of the point (x, y) in [−π, π] to 2 ulp, with signed zeros and infinities as in IEEE 754
/// (rational function: Cephes atan.c).
inline double atan2(double y, double x) {
  using namespace detail;
  const double ax = select(abs(x) < DBL_MIN, 0.0, abs(x));
  const double ay = select(abs(y) < DBL_MIN, 0.0, abs(y));
  const bool steep = ay > ax;
  const double small = select(steep, ax, ay);
  const double large = select(steep, ay, ax);
  // Equal ones also cover inf/inf; 0/0 is angle 0.
  const double quotient = select(small == large, 1.0, small / large);
  const double t = select(small < DBL_MIN, 0.0, select(quotient < DBL_MIN, 0.0, quotient));
  // tan(π/8) and up: atan t = π/4 + atan((t − 1)/(t + 1)).
  const bool upper = t > 0.41421356237309503;
  const double u = select(upper, (t - 1.0) / (t + 1.0), t);
  const double z = u * u;
  double p = -8.750608600031904122785e-1;
  p = p * z - 1.615753718733365076637e1;
  p = p * z - 7.500855792314704667340e1;
  p = p * z - 1.228866684490136173410e2;
  p = p * z - 6.485021904942025371773e1;
  double q = z + 2.485846490142306297962e1;
  q = q * z + 1.650270098316988542046e2;
  q = q * z + 4.328810604912902668951e2;
  q = q * z + 4.853903996359136964868e2;
  q = q * z + 1.945506571482613964425e2;
  const double atan_u = u + u * (z * p / q);
  double angle = select(upper, 0.25 * pi + (atan_u + 3.061616997868383e-17), atan_u);
  angle = select(steep, 0.5 * pi - (angle - 6.123233995736766e-17), angle);
  const bool left = std::bit_cast<std::int64_t>(x) < 0;
  angle = select(left, pi - (angle - 1.2246467991473532e-16), angle);
  const double result = copy_sign(angle, y);
  return select(x == x, select(y == y, result, y), x);  // nan
}

/// xʸ for x ≥ 0 (nan below) as exp(y ln x): relative error about |y ln x|·2e-16.
inline double pow(double x, double y) {
  const double power = exp(y * log(x));
  return detail::select(y == 0.0, 1.0, power);
}

/// The same angle in [−180, 180) degrees.
inline double wrap_degrees(double x) {
  const double turns = x / 360.0 + detail::round_double - detail::round_double;
  const double y = x - turns * 360.0;
  return detail::select(y >= 180.0, y - 360.0, detail::select(y < -180.0, y + 360.0, y));
}

}  // namespace quartet::math
