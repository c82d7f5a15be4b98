#include "models/math.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace quartet {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr float inf_f = std::numeric_limits<float>::infinity();
constexpr float nan_f = std::numeric_limits<float>::quiet_NaN();

/// Largest error of `function` against `reference` at `count` points of [from, to], divided by
/// max(|reference|, floor): relative with floor 0, absolute with floor 1.
template <class T, class Function, class Reference>
double worst_error(T from, T to, Function function, Reference reference, double floor = 0.0,
                   int count = 20001) {
  double worst = 0.0;
  for (int i = 0; i < count; ++i) {
    const T x = from + (to - from) * (static_cast<T>(i) / static_cast<T>(count - 1));
    const long double wanted = reference(static_cast<long double>(x));
    const long double error = std::fabs(static_cast<long double>(function(x)) - wanted);
    if (error == 0) continue;
    worst = std::max(worst,
                     static_cast<double>(error / std::max<long double>(std::fabs(wanted), floor)));
  }
  return worst;
}

/// FNV-1a over the bits of all functions at a few thousand points: equal wherever they are equal.
template <class T>
std::uint64_t digest(T scale = 1) {
  std::uint64_t hash = 14695981039346656037u;
  const auto add = [&hash](T value) {
    std::uint64_t bits = 0;
    if constexpr (sizeof(T) == 8)
      bits = std::bit_cast<std::uint64_t>(value);
    else
      bits = std::bit_cast<std::uint32_t>(value);
    if (value != value) bits = 1;  // sign and payload of a nan are not defined
    hash = (hash ^ bits) * 1099511628211u;
  };
  for (int i = -2000; i <= 2000; ++i) {
    const T x = static_cast<T>(i) * static_cast<T>(0.0437) * scale;
    add(math::exp(x));
    if constexpr (sizeof(T) == 8) {
      add(math::log(x));
      add(math::log(x * x + 0.1));
      add(math::sin(x));
      add(math::cos(x));
      add(math::exp(10 * x));
      add(math::atan2(x, 3.0 - x * x));
      add(math::pow(x, 1.7));
      add(math::wrap_degrees(50 * x));
    }
  }
  return hash;
}

TEST(Math, ExpIsAccurate) {
  const auto reference = [](long double x) { return std::exp(x); };
  const auto f64 = [](double x) { return math::exp(x); };
  const auto f32 = [](float x) { return math::exp(x); };
  EXPECT_LT(worst_error(-708.0, 709.0, f64, reference), 3e-16);
  EXPECT_LT(worst_error(-1.0, 1.0, f64, reference), 3e-16);
  EXPECT_LT(worst_error(-87.0f, 88.0f, f32, reference), 1.5e-7);
  EXPECT_LT(worst_error(-1.0f, 1.0f, f32, reference), 1.5e-7);
}

TEST(Math, LogIsAccurate) {
  const auto reference = [](long double x) { return std::log(x); };
  const auto log = [](double x) { return math::log(x); };
  EXPECT_LT(worst_error(0.5, 2.0, log, reference), 3e-16);
  EXPECT_LT(worst_error(1e-300, 1e300, log, reference), 3e-16);
  EXPECT_LT(worst_error(1e-300, 1e-290, log, reference), 3e-16);
}

TEST(Math, SinAndCosAreAccurate) {
  const auto sin = [](long double x) { return std::sin(x); };
  const auto cos = [](long double x) { return std::cos(x); };
  EXPECT_LT(worst_error(
                -7.0, 7.0, [](double x) { return math::sin(x); }, sin),
            5e-16);
  EXPECT_LT(worst_error(
                -7.0, 7.0, [](double x) { return math::cos(x); }, cos),
            5e-16);
  EXPECT_LT(worst_error(
                -1e6, 1e6, [](double x) { return math::sin(x); }, sin, 1.0),
            3e-16);
  EXPECT_LT(worst_error(
                -1e6, 1e6, [](double x) { return math::cos(x); }, cos, 1.0),
            3e-16);
}

TEST(Math, Atan2IsAccurateInEveryDirection) {
  for (const double radius : {1e-200, 1e-3, 1.0, 1e200}) {
    for (int i = -1800; i <= 1800; ++i) {
      const double y = radius * std::sin(i * 0.0017453);
      const double x = radius * std::cos(i * 0.0017453);
      EXPECT_NEAR(math::atan2(y, x), std::atan2(y, x), 1e-15) << y << " " << x;
    }
  }
}

TEST(Math, PowIsAccurate) {
  for (const double y : {-3.5, -1.0, 0.5, 1.0, 2.3, 10.0}) {
    const auto reference = [y](long double x) { return std::pow(x, static_cast<long double>(y)); };
    EXPECT_LT(worst_error(
                  1e-6, 100.0, [y](double x) { return math::pow(x, y); }, reference),
              1e-13)
        << y;
  }
}

TEST(Math, ErrorsAreSeen) {
  const auto reference = [](long double x) { return std::exp(x); };
  EXPECT_GT(worst_error(
                -1.0, 1.0, [](double x) { return math::exp(x) * (1 + 4e-16); }, reference),
            3e-16);
  EXPECT_GT(worst_error(
                -1.0f, 1.0f, [](float x) { return math::exp(x) * (1 + 3e-7f); }, reference),
            1.5e-7);
}

TEST(Math, ExpAtTheEdges) {
  EXPECT_EQ(math::exp(0.0), 1.0);
  EXPECT_EQ(math::exp(710.0), inf);
  EXPECT_EQ(math::exp(inf), inf);
  EXPECT_LT(math::exp(709.7), inf);
  EXPECT_EQ(math::exp(-709.0), 0.0);
  EXPECT_GT(math::exp(-708.0), 0.0);
  EXPECT_EQ(math::exp(-inf), 0.0);
  EXPECT_TRUE(std::isnan(math::exp(nan)));
  EXPECT_EQ(math::exp(0.0f), 1.0f);
  EXPECT_EQ(math::exp(88.8f), inf_f);
  EXPECT_LT(math::exp(88.7f), inf_f);
  EXPECT_EQ(math::exp(inf_f), inf_f);
  EXPECT_EQ(math::exp(-87.5f), 0.0f);
  EXPECT_GT(math::exp(-87.3f), 0.0f);
  EXPECT_EQ(math::exp(-inf_f), 0.0f);
  EXPECT_TRUE(std::isnan(math::exp(nan_f)));
}

TEST(Math, LogAtTheEdges) {
  EXPECT_EQ(math::log(1.0), 0.0);
  EXPECT_EQ(math::log(0.0), -inf);
  EXPECT_EQ(math::log(-0.0), -inf);
  EXPECT_EQ(math::log(4e-310), -inf) << "subnormal numbers count as zero";
  EXPECT_EQ(math::log(inf), inf);
  EXPECT_TRUE(std::isnan(math::log(-1.0)));
  EXPECT_TRUE(std::isnan(math::log(-inf)));
  EXPECT_TRUE(std::isnan(math::log(nan)));
}

TEST(Math, SinAndCosAtTheEdges) {
  EXPECT_EQ(math::sin(0.0), 0.0);
  EXPECT_EQ(math::cos(0.0), 1.0);
  EXPECT_EQ(math::sin(1e-300), 1e-300);
  EXPECT_TRUE(std::isnan(math::sin(1.1e6)));
  EXPECT_TRUE(std::isnan(math::cos(inf)));
  EXPECT_TRUE(std::isnan(math::sin(nan)));
}

TEST(Math, Atan2AtTheEdges) {
  for (const double y : {-inf, -1.0, -0.0, 0.0, 1.0, inf}) {
    for (const double x : {-inf, -1.0, -0.0, 0.0, 1.0, inf}) {
      EXPECT_NEAR(math::atan2(y, x), std::atan2(y, x), 1e-15) << y << " " << x;
      EXPECT_EQ(std::signbit(math::atan2(y, x)), std::signbit(y)) << y << " " << x;
    }
  }
  EXPECT_EQ(math::atan2(1e-308, 10.0), 0.0) << "subnormal results count as zero";
  EXPECT_TRUE(std::isnan(math::atan2(nan, 1.0)));
  EXPECT_TRUE(std::isnan(math::atan2(1.0, nan)));
}

TEST(Math, PowAtTheEdges) {
  EXPECT_EQ(math::pow(0.0, 2.0), 0.0);
  EXPECT_EQ(math::pow(0.0, 0.0), 1.0);
  EXPECT_EQ(math::pow(0.0, -1.0), inf);
  EXPECT_EQ(math::pow(1.0, 1e9), 1.0);
  EXPECT_EQ(math::pow(10.0, 400.0), inf);
  EXPECT_EQ(math::pow(10.0, -400.0), 0.0);
  EXPECT_TRUE(std::isnan(math::pow(-1.0, 0.5)));
}

TEST(Math, Angles) {
  EXPECT_DOUBLE_EQ(math::radians(180.0), math::pi);
  EXPECT_DOUBLE_EQ(math::degrees(math::pi / 2), 90.0);
  for (int turn = -5; turn <= 5; ++turn) {
    for (int i = -180; i < 180; ++i) {
      EXPECT_EQ(math::wrap_degrees(turn * 360.0 + i), i);
    }
  }
  EXPECT_EQ(math::wrap_degrees(180.0), -180.0);
  EXPECT_EQ(math::wrap_degrees(std::nextafter(180.0, 0.0)), std::nextafter(180.0, 0.0));
  EXPECT_LT(math::wrap_degrees(std::nextafter(-180.0, -200.0)), 180.0);
  EXPECT_TRUE(std::isnan(math::wrap_degrees(nan)));
}

TEST(Math, LoopsGiveTheSameBitsAsSingleCalls) {
  std::vector<float> x(1003), y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 0.19f - 95.0f;
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = math::exp(x[i]);
  for (std::size_t i = 0; i < x.size(); ++i) {
    volatile float one = x[i];
    EXPECT_EQ(std::bit_cast<std::uint32_t>(y[i]), std::bit_cast<std::uint32_t>(math::exp(one)));
  }
}

TEST(Math, BitsAreTheSameEverywhere) {
  EXPECT_EQ(std::bit_cast<std::uint64_t>(math::exp(1.0)), 0x4005bf0a8b14576au);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(math::log(2.0)), 0x3fe62e42fefa39efu);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(math::sin(1.0)), 0x3feaed548f090ceeu);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(math::cos(1.0)), 0x3fe14a280fb5068cu);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(math::atan2(1.0, 1.0)), 0x3fe921fb54442d18u);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(math::exp(1.0f)), 0x402df854u);
  EXPECT_EQ(digest<double>(), 0xdd14c62098a94d51u);
  EXPECT_EQ(digest<float>(), 0x0dd97a9bc0190635u);
  EXPECT_NE(digest<double>(), digest<double>(1.0 + 1e-15)) << "the digest sees the last bits";
}

#if defined(__SSE2__)
TEST(Math, BitsDoNotDependOnFlushToZero) {
  constexpr unsigned flush_and_zero = 0x8040;  // FTZ and DAZ
  const unsigned before = _mm_getcsr();
  const auto extremes = [] {
    std::vector<double> results;
    for (const double x : {4e-310, -4e-310, 1e-308, 2.3e-308, 1e-160, -708.3, -708.39, -708.4}) {
      volatile double v = x;
      for (const double y :
           {math::exp(v), math::log(v), math::sin(v), math::cos(v), math::atan2(v, 2.0)}) {
        results.push_back(y);
      }
    }
    return results;
  };
  volatile double subnormal = 4e-310;
  _mm_setcsr(before & ~flush_and_zero);
  const auto kept = extremes();
  const double kept_product = subnormal * 2.0;
  _mm_setcsr(before | flush_and_zero);
  const auto flushed = extremes();
  const double flushed_product = subnormal * 2.0;
  _mm_setcsr(before);
  EXPECT_GT(kept_product, 0.0);
  EXPECT_EQ(flushed_product, 0.0) << "the flags are at work";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (std::isnan(kept[i])) {
      EXPECT_TRUE(std::isnan(flushed[i]));
    } else {
      EXPECT_EQ(std::bit_cast<std::uint64_t>(kept[i]), std::bit_cast<std::uint64_t>(flushed[i]))
          << i;
    }
  }
}
#endif

}  // namespace
}  // namespace quartet
