#include "runs/signals.hpp"

#include <csignal>

namespace quartet {
namespace {

volatile std::sig_atomic_t requested = 0;

void on_signal(int) { requested = 1; }

}  // namespace

void watch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
  if (!hangups_are_ignored()) sigaction(SIGHUP, &action, nullptr);
  action.sa_flags = SA_RESTART | SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool hangups_are_ignored() {
  struct sigaction before = {};
  sigaction(SIGHUP, nullptr, &before);
  return before.sa_handler == SIG_IGN;
}

bool stop_requested() { return requested != 0; }

}  // namespace quartet
