#include "models/stimulation.hpp"

#include "models/math.hpp"

namespace quartet {

void AxonParameters::visit(ParameterVisitor& v) {
  const auto threshold = [&](std::string_view mean_name, std::string_view sd_name,
                             AxonThreshold& axon, std::string_view mean_doc,
                             std::string_view sd_doc) {
    v.real(mean_name, axon.mean, {"1", 0.01, 100}, mean_doc);
    v.real(sd_name, axon.sd, {"1", 0.001, 10}, sd_doc);
  };
  threshold("l23e_threshold", "l23e_sd", l23e,
            "mean threshold of layer 2/3 pyramidal axons (at 1 the unit of intensities)",
            "its SD over cells and pulses (chosen)");
  threshold("pv_threshold", "pv_sd", pv,
            "mean threshold of parvalbumin axons (chosen: the lowest, for paired-pulse inhibition)",
            "its SD over cells and pulses (chosen)");
  threshold(
      "som_threshold", "som_sd", som,
      "mean threshold of somatostatin axons (chosen: thin and without myelin, as high as layer 5)",
      "its SD over cells and pulses (chosen)");
  threshold("ngf_threshold", "ngf_sd", ngf,
            "mean threshold of neurogliaform axons (chosen: above layer 2/3 pyramidal)",
            "its SD over cells and pulses (chosen)");
  threshold("l5_threshold", "l5_sd", l5,
            "mean threshold of layer 5 and 6 pyramidal axons (chosen: D-waves at twice the "
            "threshold of I-waves)",
            "its SD over cells and pulses (chosen)");
  v.real("jitter", jitter, {"1", 0, 1}, "SD of a pulse's intensity over pulses (chosen)");
}

double jittered_intensity(const Pulse& pulse, double jitter, std::uint64_t seed) {
  const RandomKey key{seed, purpose("stimulation.jitter")};
  const auto bits = random_block(key, 0, pulse.stream, static_cast<std::uint64_t>(pulse.substep));
  return pulse.intensity * (1.0 + jitter * standard_normal_pair(bits[0], bits[1])[0]);
}

double recruitment_probability(double field, AxonThreshold threshold) {
  constexpr double kSqrt3OverPi = 0.5513288954217921;
  const double x = (field - threshold.mean) / (threshold.sd * kSqrt3OverPi);
  return 1.0 / (1.0 + math::exp(-x));
}

double field_at(const Pulse& pulse, double intensity, double x, double y) {
  const double dx = x - pulse.x, dy = y - pulse.y;
  return intensity * math::exp(-(dx * dx + dy * dy) / (2.0 * pulse.width * pulse.width));
}

}  // namespace quartet
