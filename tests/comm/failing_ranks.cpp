/// A run that goes wrong on rank 1, for tests of how mpirun ends. Argument: "kill" (SIGKILL in the
/// middle of a run), "throw" (an error in a timestep), "diverge" (another collective), "return"
/// (leaves early) or "disagree" (handshake).
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "comm/handshake.hpp"
#include "comm/mpi_communicator.hpp"
#include "tests/comm/fake_brain.hpp"

int main(int argc, char** argv) {
  using namespace quartet;
  return run_under_mpi(argc, argv, [&](Communicator& world) {
    const std::string what = argc > 1 ? argv[1] : "";
    const bool me = world.rank() == 1;
    if (what == "disagree") handshake(world, {{"version", me ? "2.0" : "1.0"}});
    if (what == "diverge") {
      if (me) {
        world.barrier("checkpoint");
      } else {
        world.gather("weights", 0, {});
      }
    }
    FakeBrain brain(world, Placement::standard(world.size()));
    brain.each_step = [&](Step t) {
      if (!me || t != 100) return;
      if (what == "kill") std::raise(SIGKILL);
      if (what == "throw") throw std::runtime_error("no weight is finite");
    };
    brain.run_or_fail(what == "return" && me ? 100 : 1'000'000'000);
    return 0;
  });
}
