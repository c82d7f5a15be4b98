#include "tests/comm/mpi_test.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "comm/mpi_communicator.hpp"

namespace quartet {
namespace {

MpiSession* session = nullptr;

/// Shows on rank 0 what failed on the others.
class RankFailures : public testing::EmptyTestEventListener {
 public:
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    failures_ += std::string(result.file_name() != nullptr ? result.file_name() : "?") + ":" +
                 std::to_string(result.line_number()) + ": " + result.message() + "\n";
  }

  void OnTestEnd(const testing::TestInfo& test) override {
    Communicator& world = session->world();
    const std::string name = std::string("end of ") + test.test_suite_name() + "." + test.name();
    for (;;) {
      try {
        const std::vector<Bytes> all = world.gather(name, 0, to_bytes(failures_));
        for (std::size_t rank = 1; rank < all.size(); ++rank) {
          if (all[rank].empty()) continue;
          std::printf("[ rank %zu ] %s", rank, to_text(all[rank]).c_str());
        }
        break;
      } catch (const DivergedCalls&) {
        // Another rank was still in a collective of the test, and has learned now that it diverged.
      }
    }
    std::fflush(stdout);
    failures_.clear();
  }

 private:
  std::string failures_;
};

}  // namespace

Communicator& test_world() { return session->world(); }

}  // namespace quartet

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  quartet::MpiSession session(argc, argv);
  quartet::session = &session;
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  if (session.world().rank() != 0) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new quartet::RankFailures);
  std::int64_t code[] = {RUN_ALL_TESTS()};
  session.world().all_reduce_max("exit code", code);
  return static_cast<int>(code[0]);
}
