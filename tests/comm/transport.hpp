/// Tests that run over every transport. The same sources are linked into two programs: with
/// transport_inprocess.cpp each test runs on 1 to 8 ranks that are threads, with transport_mpi.cpp
/// on the ranks that mpirun started.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "comm/communicator.hpp"

namespace quartet {

/// Runs `body` on every rank of the transport (in-process: of every number of ranks).
void on_all_ranks(const std::function<void(Communicator&)>& body);

}  // namespace quartet

/// TRANSPORT_TEST(Suite, Name) { … } with `Communicator& world` in scope.
#define TRANSPORT_TEST(suite, name)                                                   \
  static void suite##_##name##_body([[maybe_unused]] ::quartet::Communicator& world); \
  TEST(suite, name) { ::quartet::on_all_ranks(suite##_##name##_body); }               \
  static void suite##_##name##_body([[maybe_unused]] ::quartet::Communicator& world)
