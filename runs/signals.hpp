/// Asking a run to stop: SIGTERM, SIGINT, SIGHUP or SIGUSR1 set a flag, and the loop looks at it.
#pragma once

namespace quartet {

/// From now on the signals only set the flag. SIGINT and SIGTERM do so once: the second one ends
/// the process at once. A closed terminal sends SIGHUP more than once.
void watch_stop_signals();

/// As under nohup: the run then goes on where the terminal is closed.
bool hangups_are_ignored();

/// True after a signal. The loop then agrees on a step, writes a checkpoint and returns
/// exit_stopped.
bool stop_requested();

}  // namespace quartet
