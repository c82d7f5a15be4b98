/// A subject that lies at rest between two blocks and is stimulated: the Preparation of a run.
#pragma once

#include <array>
#include <stdexcept>
#include <vector>

#include "comm/communicator.hpp"
#include "runs/laboratory.hpp"
#include "runs/member_run.hpp"

namespace quartet {

/// A signal has asked to stop. All ranks throw it before the same trial of stimulation.
class ProbeStopped : public std::runtime_error {
 public:
  ProbeStopped() : std::runtime_error("a probe was stopped") {}
};

class BrainAtRest final : public Preparation {
 public:
  /// Lets the subject settle, without a task. Collective, between begin_probe and end_probe of
  /// `member`, as respond() is; all ranks get the same responses. `root`: the rank that hosts the
  /// first slice of cortex. `polarization_mv`: the block's. `scale`: the brain's. `stream`: as
  /// given to begin_probe.
  BrainAtRest(Communicator& world, int root, MemberRun& member, const Probe& probe,
              double polarization_mv, double scale, std::uint32_t stream);

  Response respond(const Stimulus& stimulus) override;

 private:
  void stop_if_asked();

  Communicator& world_;
  int root_;
  MemberRun& member_;
  const Probe& probe_;
  double polarization_mv_;
  std::uint32_t stream_;
  std::size_t muscle_;
  std::vector<std::array<double, kMuscles>> share_;  // of a PT cell's spike in each muscle's output
};

}  // namespace quartet
