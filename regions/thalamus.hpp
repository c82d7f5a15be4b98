/// Motor thalamus: relay cells of the cerebellar (VL) and basal-ganglia (VA/VM) territories and
/// reticular cells. With `convergence` > 0 that share of relay cells also gets the other
/// territory's input, so that their rates carry what both teachers have taught. Spikes of the olive
/// and of SNc arrive too, and no cell reads them.
#pragma once

#include "models/parameters.hpp"
#include "regions/region.hpp"
#include "regions/sizes.hpp"
#include "regions/spiking_region.hpp"

namespace quartet {

struct ThalamusParameters {
  double convergence = 0.3;
  double lesion_vl = 0.0;
  double lesion_va = 0.0;
  double dcn_vl_weight_mv = 60.0;
  double gpi_va_weight_mv = 34.0;
  // Membrane time constants are typical of the cell types; the rest is tuned to rates at rest.
  LifParameters vl{.tau_m_ms = 15, .bias_mv = -5, .noise_mv = 4.0};
  LifParameters va{.tau_m_ms = 15, .bias_mv = 22, .noise_mv = 2.5};
  LifParameters trn{.tau_m_ms = 20, .bias_mv = 8.0, .noise_mv = 4.5};

  void visit(ParameterVisitor& v);
};

class Thalamus final : public SpikingRegion {
 public:
  Thalamus(const ThalamusParameters& parameters, double scale, std::uint64_t seed, Slice slice);

  void lose_cells(const CellLoss& loss) override;

 private:
  std::size_t vl_, va_;
};

}  // namespace quartet
