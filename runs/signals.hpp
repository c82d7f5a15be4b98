/// Asking a run to stop: SIGTERM, SIGINT or SIGUSR1 set a flag, and the loop looks at it.
#pragma once

namespace quartet {

/// From now on the signals only set the flag. SIGINT and SIGTERM do so once: the second one ends
/// the process at once.
void watch_stop_signals();

/// True after a signal. The loop then agrees on a step, writes a checkpoint and returns
/// exit_stopped.
bool stop_requested();

}  // namespace quartet
