/// What tests of files share: a folder of their own, and a small region with known spikes.
#pragma once

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "regions/region.hpp"
#include "runs/recorders/behaviour.hpp"
#include "runs/recorders/region.hpp"

namespace quartet {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "quartet-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Mixes a few numbers into one (splitmix64).
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0) {
  std::uint64_t x = a * 0x9e3779b97f4a7c15u + b * 0xbf58476d1ce4e5b9u + c * 0x94d049bb133111ebu + 1;
  for (std::uint64_t multiplier : {0xbf58476d1ce4e5b9u, 0x94d049bb133111ebu}) {
    x = (x ^ (x >> 29)) * multiplier;
  }
  return x ^ (x >> 32);
}

/// Two populations whose spikes, and a plastic projection whose weights, follow from the seed and
/// the timestep alone.
class FakeRegion : public Region {
 public:
  explicit FakeRegion(std::uint64_t seed = 1) : seed_(seed) {
    populations_ = {{"Alpha", "alpha cells", 8, {}}, {"Beta", "beta cells", 4, {}}};
    for (int i = 0; i < 8; ++i) populations_[0].preferred_direction_deg.push_back(45.0f * i);
    const std::vector<float>& alpha = populations_[0].preferred_direction_deg;
    projections_ = {{"Alpha_Beta", 4, 3, "mV", 8, false, alpha, {}},
                    {"Beta_Alpha", 8, 2, "1", 4, false, {}, alpha}};
  }

  std::string_view name() const override { return "fake"; }
  std::span<const Port> inputs() const override { return {}; }
  std::span<const Port> outputs() const override { return {}; }
  std::span<const PopulationInfo> populations() const override { return populations_; }
  std::span<const ProjectionInfo> plastic_projections() const override { return projections_; }
  std::uint32_t substeps() const override { return 4; }
  std::uint64_t neuron_count() const override { return 12; }
  std::uint64_t synapse_count() const override { return 28; }

  void advance(Step t, const Inbox&, Outbox&, Peers&) override { advance(t); }
  void advance(Step t) {
    now_ = t + 1;
    for (std::size_t p = 0; p < populations_.size(); ++p) {
      spikes_[p].clear();
      for (std::uint32_t substep = 0; substep < 4; ++substep) {
        for (std::uint32_t id = 0; id < populations_[p].size; ++id) {
          const std::uint64_t draw = mix(seed_, static_cast<std::uint64_t>(t), p * 1000 + id);
          if (draw % 10 == 0 && draw / 10 % 4 == substep) spikes_[p].push_back({id, substep});
        }
      }
    }
  }

  std::span<const Spike> spikes(std::size_t population) const override {
    return spikes_[population];
  }
  void weights(std::size_t index, std::uint32_t& first, std::vector<float>& values) const override {
    first = 0;
    values.clear();
    for (std::uint32_t i = 0; i < projections_[index].targets * projections_[index].in_degree;
         ++i) {
      values.push_back(static_cast<float>(mix(seed_, static_cast<std::uint64_t>(now_), i) % 1000));
    }
  }
  std::vector<std::uint32_t> sources(std::size_t index) const override {
    const ProjectionInfo& projection = projections_[index];
    std::vector<std::uint32_t> cells;
    for (std::uint32_t i = 0; i < projection.targets * projection.in_degree; ++i) {
      cells.push_back(static_cast<std::uint32_t>(mix(seed_, index, i) % projection.sources));
    }
    return cells;
  }
  void save(StateWriter&) const override {}
  void load(StateReader&) override {}

  /// The region after timestep `t` − 1.
  void jump(Step t) { now_ = t; }

 private:
  std::uint64_t seed_;
  Step now_ = 0;
  std::vector<PopulationInfo> populations_;
  std::vector<ProjectionInfo> projections_;
  std::vector<Spike> spikes_[2];
};

/// Two groups, three subjects.
inline RecordedRun fake_run() {
  RecordedRun run;
  run.title = "A fake run";
  run.trial_ms = 60;
  run.subjects = {
      {"adapt/0", "adapt", 0, 11}, {"adapt/1", "adapt", 0, 12}, {"savings/0", "savings", 1, 11}};
  run.provenance = build_provenance();
  run.provenance.config_digest = "abc";
  run.provenance.command = "quartet run fake.toml";
  return run;
}

}  // namespace quartet
