#include "runs/run_lock.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

#include "tests/runs/files_support.hpp"

namespace quartet {
namespace {

TEST(RunLock, HasOneHolder) {
  TemporaryDirectory directory;
  std::optional<RunLock> first;
  first.emplace(directory.path());
  EXPECT_TRUE(first->holds());
  EXPECT_THROW(RunLock{directory.path()}, std::runtime_error);
  first.reset();
  EXPECT_TRUE(RunLock{directory.path()}.holds());
}

TEST(RunLock, SaysWhereItHoldsNothing) {
  TemporaryDirectory directory;
  EXPECT_FALSE(RunLock{directory / "none"}.holds());
}

}  // namespace
}  // namespace quartet
