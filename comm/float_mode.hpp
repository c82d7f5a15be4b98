/// Flushing of subnormal numbers to zero, which every thread that integrates must agree on.
#pragma once

namespace quartet {

/// Sets this thread to flush subnormal results and operands to zero (FTZ and DAZ on x86, FZ on
/// ARM): they are slow, and results must not depend on whether a machine has them.
void set_flush_to_zero();

/// Whether this thread does: measured, not read from the control register.
bool flushes_to_zero();

}  // namespace quartet
