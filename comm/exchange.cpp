#include "comm/exchange.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <exception>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "comm/control_word.hpp"
#include "comm/rank_distances.hpp"
#include "comm/slice_peers.hpp"
#include "comm/spike_codec.hpp"
#include "comm/spike_runs.hpp"
#include "models/random.hpp"

namespace quartet {
namespace {

constexpr int signals_tag = 0;  // of the lanes between ranks; region i has 1 + i for its slices

[[noreturn]] void refuse(const std::string& what) { throw SharedFailure("exchange: " + what); }

const Port* find_port(const std::vector<Port>& ports, std::string_view name) {
  const auto found =
      std::find_if(ports.begin(), ports.end(), [&](const Port& port) { return port.name == name; });
  return found == ports.end() ? nullptr : &*found;
}

/// A tract as this rank sees it.
struct Route {
  std::string name;
  Port port;  // that it comes out of
  int delay;
  std::size_t from, to;           // regions, as in `ports` of the constructor
  std::size_t out_port, in_port;  // indices in those regions' ports
  bool starts_here = false;       // this rank hosts a slice of `from` that sends
  bool ends_here = false;

  // Where it ends: signals on their way, by due step modulo the number of slots.
  std::vector<SpikeRuns> spikes;
  std::vector<std::vector<double>> values;
  // What the inbox shows.
  std::span<const Spike> due_spikes;
  std::span<const double> due_values;

  // Lesions.
  bool cut = false;
  std::vector<std::uint32_t> shuffled;  // new id by id; empty: none
  std::vector<Spike> lesioned_spikes;
  std::vector<double> zeros;  // what an analog one shows when cut

  std::size_t slot(Step due) const {
    const std::size_t slots = port.kind == PortKind::spikes ? spikes.size() : values.size();
    return static_cast<std::size_t>(due) & (slots - 1);
  }
  bool analog() const { return port.kind == PortKind::analog; }
};

/// A bijection of 0 … n−1 (Fisher & Yates), the same on every rank.
std::vector<std::uint32_t> random_bijection(std::uint64_t seed, std::string_view tract,
                                            std::uint32_t n) {
  const RandomKey key{seed, purpose("tract.shuffle." + std::string(tract))};
  std::vector<std::uint32_t> to(n);
  std::iota(to.begin(), to.end(), 0u);
  for (std::uint32_t i = n; i > 1; --i) {
    std::swap(to[i - 1], to[random_below(random_block(key, i, 0, 0)[0], i)]);
  }
  return to;
}

class RouteInbox final : public Inbox {
 public:
  RouteInbox(const std::vector<Route>& routes, std::vector<std::size_t> by_port)
      : routes_(routes), by_port_(std::move(by_port)) {}
  std::span<const Spike> spikes(std::size_t port) const override {
    return routes_[by_port_.at(port)].due_spikes;
  }
  std::span<const double> analog(std::size_t port) const override {
    return routes_[by_port_.at(port)].due_values;
  }

 private:
  const std::vector<Route>& routes_;
  std::vector<std::size_t> by_port_;
};

class PortOutbox final : public Outbox {
 public:
  PortOutbox(std::string region, const std::vector<Port>& ports, int slice)
      : region_(std::move(region)), ports_(ports), slice_(slice) {
    spikes_.resize(ports.size());
    values_.resize(ports.size());
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (ports[i].kind == PortKind::analog) values_[i].resize(ports[i].size);
    }
  }
  std::vector<Spike>& spikes(std::size_t port) override {
    require(port, PortKind::spikes);
    return spikes_[port];
  }
  std::span<double> analog(std::size_t port) override {
    require(port, PortKind::analog);
    if (slice_ != 0) {
      throw std::logic_error("only slice 0 of " + region_ + " may fill " + ports_[port].name);
    }
    return values_[port];
  }
  std::span<const double> values(std::size_t port) const { return values_[port]; }
  void clear() {
    for (auto& list : spikes_) list.clear();
    for (auto& values : values_) std::fill(values.begin(), values.end(), 0.0);
  }

 private:
  void require(std::size_t port, PortKind kind) const {
    if (port >= ports_.size() || ports_[port].kind != kind) {
      throw std::logic_error(region_ + " has no output port " + std::to_string(port) + " for " +
                             (kind == PortKind::spikes ? "spikes" : "analog values"));
    }
  }
  std::string region_;
  std::vector<Port> ports_;
  int slice_;
  std::vector<std::vector<Spike>> spikes_;
  std::vector<std::vector<double>> values_;
};

/// A slice that this rank hosts.
struct Host {
  std::size_t region;
  HostedSlice slice;
  std::vector<Port> outputs;
  PortOutbox outbox;
  RouteInbox inbox;
  std::unique_ptr<SlicePeers> peers;
  std::vector<std::uint32_t> most_cells;  // output port → of this slice
  std::vector<bool> travels;              // output port → to another rank
  std::vector<Bytes> packed;              // output port → this timestep's spikes as bytes
  std::vector<std::size_t> packed_bytes;
};

/// Another rank that this one exchanges messages with.
struct Neighbour {
  int rank;
  std::unique_ptr<SendLane> to;
  std::vector<std::size_t> out_routes;
  std::unique_ptr<ReceiveLane> from;
  std::vector<std::size_t> in_routes;
  int delay_in = 0;  // shortest, of what comes from there
  Step next_in = 0;  // timestep of the next message from there
};

}  // namespace

class Exchange::Impl {
 public:
  Impl(Communicator& communicator, const Placement& placement, std::span<const Tract> tracts,
       std::span<const RegionPorts> ports, std::span<const TractLesion> lesions);

  void receive(Step t);
  void send(Step t);
  void quiesce();
  void save(std::string_view region, StateWriter& writer) const;
  void load(std::string_view region, Step t, StateReader& reader);
  void request_stop() {
    if (stop_step_ == no_stop) stop_step_ = step_ + stop_lead_;
  }
  std::string fail(std::string_view reason) noexcept;
  void leave() noexcept;
  const Host& host(std::string_view region) const;
  Host& host(std::string_view region) {
    return const_cast<Host&>(std::as_const(*this).host(region));
  }

  int exceptions_at_start_ = std::uncaught_exceptions();
  Step step_ = 0;
  Step stop_step_ = no_stop;
  int stop_lead_ = 1;  // timesteps from a request to the stop: more than ranks can be apart
  std::vector<TractTraffic> traffic_;

 private:
  void build_routes(std::span<const Tract> tracts, std::span<const RegionPorts> ports);
  void build_hosts(const Placement& placement, std::span<const RegionPorts> ports);
  void apply_lesions(std::span<const TractLesion> lesions);
  void connect(const Placement& placement, std::span<const RegionPorts> ports);
  void take(Neighbour& neighbour);
  void present(Route& route, Step t);
  void notify(MessageKind kind, std::string_view reason) noexcept;
  template <class Action>
  auto relaying(Action action);

  std::unique_ptr<Communicator> communicator_;  // own, so that messages meet no other's
  std::vector<Route> routes_;
  std::vector<Host> hosts_;
  std::vector<Neighbour> neighbours_;
  std::vector<Spike> scratch_;
  bool received_ = false;  // between receive and send
  bool quiet_ = true;      // nothing of an earlier timestep is still between ranks
  bool closed_ = false;    // failed or left
};

Exchange::Impl::Impl(Communicator& communicator, const Placement& placement,
                     std::span<const Tract> tracts, std::span<const RegionPorts> ports,
                     std::span<const TractLesion> lesions) {
  if (placement.world_size() != communicator.size()) {
    refuse("the placement is for " + std::to_string(placement.world_size()) + " ranks, but " +
           std::to_string(communicator.size()) + " run");
  }
  build_routes(tracts, ports);
  communicator_ = communicator.split("exchange", 0, communicator.rank());
  build_hosts(placement, ports);
  apply_lesions(lesions);
  connect(placement, ports);
  for (const Route& route : routes_) traffic_.push_back({route.name, 0, 0, 0});
}

void Exchange::Impl::build_routes(std::span<const Tract> tracts,
                                  std::span<const RegionPorts> ports) {
  const auto region_index = [&](std::string_view name, std::string_view tract) {
    const auto found = std::find_if(ports.begin(), ports.end(),
                                    [&](const RegionPorts& p) { return p.region == name; });
    if (found == ports.end()) {
      refuse("tract " + std::string(tract) + " names the region " + std::string(name) +
             ", whose ports are not known");
    }
    return static_cast<std::size_t>(found - ports.begin());
  };
  for (const Tract& tract : tracts) {
    const std::string name(tract.name);
    Route route;
    route.name = name;
    route.delay = tract.delay_ms;
    route.from = region_index(tract.from, tract.name);
    route.to = region_index(tract.to, tract.name);
    if (tract.delay_ms < 2) refuse("tract " + name + " has a delay of less than 2 ms");
    if (std::any_of(routes_.begin(), routes_.end(),
                    [&](const Route& other) { return other.name == name; })) {
      refuse("there are two tracts " + name);
    }
    const std::vector<Port>& outputs = ports[route.from].outputs;
    const std::vector<Port>& inputs = ports[route.to].inputs;
    const Port* out = find_port(outputs, tract.out_port);
    const Port* in = find_port(inputs, tract.name);
    if (out == nullptr) {
      refuse("tract " + name + " starts at output port " + std::string(tract.out_port) +
             ", which " + std::string(tract.from) + " does not have");
    }
    if (in == nullptr) {
      refuse("tract " + name + " ends in " + std::string(tract.to) +
             ", which has no input port of that name");
    }
    if (out->kind != in->kind || out->size != in->size || out->substeps != in->substeps) {
      const auto text = [](const Port& port) {
        return std::to_string(port.size) +
               (port.kind == PortKind::spikes
                    ? " cells with " + std::to_string(port.substeps) + " substeps"
                    : " analog values");
      };
      refuse("tract " + name + " carries " + text(*out) + ", but " + std::string(tract.to) +
             " expects " + text(*in));
    }
    route.port = *out;
    route.out_port = static_cast<std::size_t>(out - outputs.data());
    route.in_port = static_cast<std::size_t>(in - inputs.data());
    routes_.push_back(std::move(route));
  }
  for (const RegionPorts& region : ports) {
    for (const Port& input : region.inputs) {
      if (std::none_of(routes_.begin(), routes_.end(), [&](const Route& route) {
            return route.name == input.name && ports[route.to].region == region.region;
          })) {
        refuse("input port " + input.name + " of " + region.region +
               " has no tract of that name in the atlas");
      }
    }
  }
}

void Exchange::Impl::build_hosts(const Placement& placement, std::span<const RegionPorts> ports) {
  const int me = communicator_->rank();
  for (const HostedSlice& slice : placement.hosted_by(me)) {
    const auto found = std::find_if(ports.begin(), ports.end(),
                                    [&](const RegionPorts& p) { return p.region == slice.region; });
    if (found == ports.end()) refuse("the ports of " + std::string(slice.region) + " are missing");
    const auto region = static_cast<std::size_t>(found - ports.begin());
    std::vector<std::size_t> by_port(found->inputs.size());
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      Route& route = routes_[i];
      if (route.from == region && (slice.slice == 0 || !route.analog())) route.starts_here = true;
      if (route.to != region) continue;
      route.ends_here = true;
      by_port[route.in_port] = i;
      // Steps t … t + delay are on their way at once; a power of two makes the index a mask.
      const std::size_t slots = std::bit_ceil(static_cast<std::size_t>(route.delay) + 1);
      if (route.analog()) {
        route.values.assign(slots, std::vector<double>(route.port.size, 0.0));
      } else {
        route.spikes.resize(slots);
      }
    }
    const std::size_t n = found->outputs.size();
    std::vector<std::uint32_t> most_cells;
    for (const Port& port : found->outputs) {
      most_cells.push_back(most_of_slice(port, static_cast<std::size_t>(slice.slices)));
    }
    hosts_.push_back(
        {region, slice, found->outputs, PortOutbox(found->region, found->outputs, slice.slice),
         RouteInbox(routes_, std::move(by_port)),
         std::make_unique<SlicePeers>(
             *communicator_, placement.ranks_of(slice.region), 1 + static_cast<int>(region),
             [this](std::string_view reason) { notify(MessageKind::failed, reason); }),
         std::move(most_cells), std::vector<bool>(n, false), std::vector<Bytes>(n),
         std::vector<std::size_t>(n, 0)});
  }
}

void Exchange::Impl::apply_lesions(std::span<const TractLesion> lesions) {
  for (const TractLesion& lesion : lesions) {
    const auto route = std::find_if(routes_.begin(), routes_.end(),
                                    [&](const Route& r) { return r.name == lesion.tract; });
    if (route == routes_.end()) {
      std::string names;
      for (const Route& r : routes_) names += (names.empty() ? "" : ", ") + r.name;
      refuse("there is no tract '" + lesion.tract + "' to lesion; the tracts are " + names);
    }
    // Numbers of different meaning, which nothing can take for each other.
    if (lesion.kind == TractLesion::Kind::shuffle && route->analog())
      refuse("tract '" + lesion.tract + "' carries no spikes, so nothing of it can be shuffled");
    if (!route->ends_here) continue;
    if (lesion.kind == TractLesion::Kind::cut) {
      route->cut = true;
    } else {
      route->shuffled = random_bijection(lesion.seed, lesion.tract, route->port.size);
    }
    route->zeros.assign(route->analog() ? route->port.size : 0, 0.0);
  }
}

/// Opens a lane to and from every rank that tracts lead to and from, long enough for how far apart
/// ranks can run.
void Exchange::Impl::connect(const Placement& placement, std::span<const RegionPorts> ports) {
  std::vector<RankTract> tracts;
  for (const Route& route : routes_) {
    const auto senders = placement.ranks_of(ports[route.from].region);
    tracts.push_back({route.analog() ? senders.first(1) : senders,
                      placement.ranks_of(ports[route.to].region), route.delay});
  }
  const RankDistances distances(communicator_->size(), tracts);
  stop_lead_ = distances.longest() + 1;

  const auto max_bytes = [&](const std::vector<std::size_t>& between) {
    std::size_t bytes = sizeof(ControlWord);
    for (const std::size_t i : between) {
      const Port& port = routes_[i].port;
      bytes += routes_[i].analog() ? port.size * sizeof(double)
                                   : packed_bound(port, most_of_slice(port, tracts[i].from.size()));
    }
    return std::max(bytes, min_message_bytes);
  };
  // Messages that can be between `from` and `to`: how far `from` can be ahead plus how late `to`
  // takes them; one that `to` is reading and a notice.
  const auto slots = [&](int from, int to) {
    return distances.distance(to, from) + distances.delay(from, to) + 3;
  };
  const int me = communicator_->rank();
  for (int other = 0; other < communicator_->size(); ++other) {
    const bool sends = distances.delay(me, other) != RankDistances::unreachable;
    const bool receives = distances.delay(other, me) != RankDistances::unreachable;
    if (!sends && !receives) continue;
    Neighbour neighbour;
    neighbour.rank = other;
    if (sends) {
      neighbour.out_routes = distances.between(me, other);
      neighbour.to = communicator_->open_send(other, signals_tag, max_bytes(neighbour.out_routes),
                                              slots(me, other));
    }
    if (receives) {
      neighbour.in_routes = distances.between(other, me);
      neighbour.delay_in = distances.delay(other, me);
      neighbour.from = communicator_->open_receive(
          other, signals_tag, max_bytes(neighbour.in_routes), slots(other, me));
    }
    neighbours_.push_back(std::move(neighbour));
  }
  for (Host& host : hosts_) {
    for (const Neighbour& neighbour : neighbours_) {
      for (const std::size_t i : neighbour.out_routes) {
        const Route& route = routes_[i];
        if (route.from != host.region || route.analog()) continue;
        host.travels[route.out_port] = true;
        host.packed[route.out_port].resize(
            packed_bound(route.port, host.most_cells[route.out_port]));
      }
    }
  }
}

/// Receives the next message of a neighbour into the slots of its tracts.
void Exchange::Impl::take(Neighbour& neighbour) {
  const std::span<const std::byte> message = neighbour.from->receive();
  const ControlWord control = read_control(message, neighbour.next_in, neighbour.rank);
  stop_step_ = std::min(stop_step_, control.stop_step);
  std::span<const std::byte> in = message.subspan(sizeof control);
  for (const std::size_t i : neighbour.in_routes) {
    Route& route = routes_[i];
    const std::size_t slot = route.slot(control.step + route.delay);
    if (route.analog()) {
      const std::size_t bytes = route.port.size * sizeof(double);
      if (in.size() < bytes) refuse_length(neighbour.rank);
      std::memcpy(route.values[slot].data(), in.data(), bytes);
      in = in.subspan(bytes);
    } else {
      if (!unpack_spikes(in, route.port.substeps, route.spikes[slot].spikes())) {
        refuse_length(neighbour.rank);
      }
      route.spikes[slot].end_run();
    }
  }
  if (!in.empty()) refuse_length(neighbour.rank);
  ++neighbour.next_in;
}

/// Runs what may hear of another rank's failure, and lets that go on to all that this rank sends
/// to, who may not hear of it otherwise.
template <class Action>
auto Exchange::Impl::relaying(Action action) {
  try {
    return action();
  } catch (const PeerFailure& failure) {
    notify(MessageKind::failed, failure.what());
    throw;
  }
}

/// Puts the signals that are due in timestep t before the inbox, through the lesion.
void Exchange::Impl::present(Route& route, Step t) {
  if (route.analog()) {
    route.due_values = route.cut ? route.zeros : route.values[route.slot(t)];
    return;
  }
  if (t > 0) route.spikes[route.slot(t - 1)].clear();
  SpikeRuns& due = route.spikes[route.slot(t)];
  due.merge(scratch_);
  route.due_spikes = due.spikes();
  if (route.cut) {
    route.due_spikes = {};
  } else if (!route.shuffled.empty()) {
    route.lesioned_spikes.assign(route.due_spikes.begin(), route.due_spikes.end());
    for (Spike& spike : route.lesioned_spikes) spike.id = route.shuffled[spike.id];
    sort_spikes(route.lesioned_spikes);
    route.due_spikes = route.lesioned_spikes;
  }
}

void Exchange::Impl::receive(Step t) {
  if (t != step_ || received_) {
    throw std::logic_error("exchange: receive(" + std::to_string(t) + ") where " +
                           (received_ ? "send(" : "receive(") + std::to_string(step_) +
                           ") comes next");
  }
  relaying([&] {
    for (Neighbour& neighbour : neighbours_) {
      while (neighbour.from && neighbour.next_in <= t - neighbour.delay_in) take(neighbour);
    }
  });
  for (Route& route : routes_) {
    if (route.ends_here) present(route, t);
  }
  for (Host& host : hosts_) {
    host.outbox.clear();
    host.peers->set_step(t);
  }
  received_ = true;
  quiet_ = false;
}

void Exchange::Impl::send(Step t) {
  if (t != step_ || !received_) {
    throw std::logic_error("exchange: send(" + std::to_string(t) + ") where " +
                           (received_ ? "send(" : "receive(") + std::to_string(step_) +
                           ") comes next");
  }
  for (Host& host : hosts_) {
    for (std::size_t port = 0; port < host.outputs.size(); ++port) {
      if (host.outputs[port].kind == PortKind::analog) continue;
      std::vector<Spike>& spikes = host.outbox.spikes(port);
      const auto check = [&] {
        return check_spikes(spikes, host.outputs[port], host.most_cells[port]);
      };
      std::string wrong = check();
      if (!wrong.empty()) {  // seldom: regions mostly emit in canonical order
        std::sort(spikes.begin(), spikes.end());
        wrong = check();
      }
      if (!wrong.empty()) {
        throw std::logic_error(std::string(host.slice.region) + " sent through port " +
                               host.outputs[port].name + " a spike of " + wrong);
      }
      if (host.travels[port]) {
        host.packed_bytes[port] =
            pack_spikes(spikes, host.outputs[port].substeps, host.packed[port].data());
      }
    }
  }

  const auto sender = [&](const Route& route) -> Host& {
    return *std::find_if(hosts_.begin(), hosts_.end(),
                         [&](const Host& host) { return host.region == route.from; });
  };
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    Route& route = routes_[i];
    if (!route.starts_here) continue;
    Host& host = sender(route);
    if (!route.analog()) traffic_[i].spikes += host.outbox.spikes(route.out_port).size();
    if (!route.ends_here) continue;
    const std::size_t slot = route.slot(t + route.delay);
    if (route.analog()) {
      const auto values = host.outbox.values(route.out_port);
      std::copy(values.begin(), values.end(), route.values[slot].begin());
    } else {
      const std::vector<Spike>& spikes = host.outbox.spikes(route.out_port);
      std::vector<Spike>& due = route.spikes[slot].spikes();
      due.insert(due.end(), spikes.begin(), spikes.end());
      route.spikes[slot].end_run();
    }
  }

  ControlWord control;
  control.step = t;
  control.stop_step = stop_step_;
  for (Neighbour& neighbour : neighbours_) {
    if (!neighbour.to) continue;
    const std::span<std::byte> message = neighbour.to->buffer();
    write_control(message, control);
    std::byte* out = message.data() + sizeof control;
    for (const std::size_t i : neighbour.out_routes) {
      const Route& route = routes_[i];
      Host& host = sender(route);
      std::size_t bytes = 0;
      bool carries = true;
      if (route.analog()) {
        bytes = route.port.size * sizeof(double);
        std::memcpy(out, host.outbox.values(route.out_port).data(), bytes);
      } else {
        bytes = host.packed_bytes[route.out_port];
        std::memcpy(out, host.packed[route.out_port].data(), bytes);
        carries = !host.outbox.spikes(route.out_port).empty();
      }
      out += bytes;
      traffic_[i].bytes += bytes;
      traffic_[i].messages += carries ? 1 : 0;
    }
    neighbour.to->send(static_cast<std::size_t>(out - message.data()));
  }
  received_ = false;
  ++step_;
}

void Exchange::Impl::quiesce() {
  if (received_) throw std::logic_error("exchange: quiesce within a timestep; send first");
  relaying([&] {
    for (Neighbour& neighbour : neighbours_) {
      while (neighbour.from && neighbour.next_in < step_) take(neighbour);
    }
  });
  for (Route& route : routes_) {
    if (!route.ends_here || route.analog()) continue;
    for (int ahead = 0; ahead < route.delay; ++ahead) {
      route.spikes[route.slot(step_ + ahead)].merge(scratch_);
    }
  }
  quiet_ = true;
}

void Exchange::Impl::save(std::string_view region, StateWriter& writer) const {
  if (!quiet_) throw std::logic_error("exchange: quiesce() before save()");
  const Host& host = this->host(region);
  for (const Route& route : routes_) {
    if (route.to != host.region) continue;
    const std::string name = "exchange." + route.name;
    if (route.analog()) {
      std::vector<double> values;
      for (int ahead = 0; ahead < route.delay; ++ahead) {
        const auto& due = route.values[route.slot(step_ + ahead)];
        values.insert(values.end(), due.begin(), due.end());
      }
      writer.shared(name + ".value", std::span<const double>(values));
      continue;
    }
    std::vector<std::uint32_t> counts, ids, substeps;
    for (int ahead = 0; ahead < route.delay; ++ahead) {
      const auto& due = route.spikes[route.slot(step_ + ahead)].spikes();
      counts.push_back(static_cast<std::uint32_t>(due.size()));
      for (const Spike& spike : due) {
        ids.push_back(spike.id);
        substeps.push_back(spike.substep);
      }
    }
    writer.shared(name + ".count", std::span<const std::uint32_t>(counts));
    writer.shared(name + ".id", std::span<const std::uint32_t>(ids));
    writer.shared(name + ".substep", std::span<const std::uint32_t>(substeps));
  }
}

void Exchange::Impl::load(std::string_view region, Step t, StateReader& reader) {
  if (!quiet_) throw std::logic_error("exchange: load() into one that is new or quiesced only");
  const Host& host = this->host(region);
  step_ = t;
  for (Neighbour& neighbour : neighbours_) neighbour.next_in = t;
  for (Route& route : routes_) {
    if (route.to != host.region) continue;
    const std::string name = "exchange." + route.name;
    if (route.analog()) {
      std::vector<double> values(static_cast<std::size_t>(route.delay) * route.port.size);
      reader.shared(name + ".value", std::span<double>(values));
      for (int ahead = 0; ahead < route.delay; ++ahead) {
        std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(ahead) * route.port.size,
                    route.port.size, route.values[route.slot(t + ahead)].begin());
      }
      continue;
    }
    std::vector<std::uint32_t> counts(static_cast<std::size_t>(route.delay));
    reader.shared(name + ".count", std::span<std::uint32_t>(counts));
    std::vector<std::uint32_t> ids(reader.length(name + ".id"));
    std::vector<std::uint32_t> substeps(ids.size());
    reader.shared(name + ".id", std::span<std::uint32_t>(ids));
    reader.shared(name + ".substep", std::span<std::uint32_t>(substeps));
    for (SpikeRuns& slot : route.spikes) slot.clear();
    std::size_t next = 0;
    for (int ahead = 0; ahead < route.delay; ++ahead) {
      SpikeRuns& due = route.spikes[route.slot(t + ahead)];
      for (std::uint32_t i = 0; i < counts[static_cast<std::size_t>(ahead)]; ++i, ++next) {
        if (next < ids.size()) due.spikes().push_back({ids[next], substeps[next]});
      }
      due.end_run();
      const std::string wrong = check_spikes(due.spikes(), route.port, route.port.size);
      if (!wrong.empty() || next > ids.size()) {
        throw std::runtime_error("checkpoint of " + std::string(region) + ": the signals in " +
                                 name + " are not of this tract" +
                                 (wrong.empty() ? "" : ": a spike of " + wrong) +
                                 "; take another checkpoint");
      }
    }
    if (next != ids.size()) {
      throw std::runtime_error("checkpoint of " + std::string(region) + ": " + name +
                               " holds more spikes than it counts; take another checkpoint");
    }
  }
}

void Exchange::Impl::notify(MessageKind kind, std::string_view reason) noexcept {
  if (std::exchange(closed_, true)) return;
  // A lane that is broken itself must not keep the others from hearing.
  const auto attempt = [](const auto& action) {
    try {
      action();
    } catch (...) {
    }
  };
  for (Neighbour& neighbour : neighbours_) {
    if (neighbour.to) attempt([&] { send_notice(*neighbour.to, kind, step_, reason); });
  }
  for (Host& host : hosts_) attempt([&] { host.peers->notify(kind, step_, reason); });
}

std::string Exchange::Impl::fail(std::string_view reason) noexcept {
  std::string text = "rank " + std::to_string(communicator_->rank()) + " (";
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const HostedSlice& slice = hosts_[i].slice;
    text += (i == 0 ? "" : ", ") + std::string(slice.region);
    if (slice.slices > 1) {
      text += " slice " + std::to_string(slice.slice) + " of " + std::to_string(slice.slices);
    }
  }
  text += ") at timestep " + std::to_string(step_) + ": " + std::string(reason);
  notify(MessageKind::failed, text);
  return text;
}

/// Nothing may stay between ranks: it could meet the receives of a later exchange.
void Exchange::Impl::leave() noexcept {
  if (closed_) return;
  notify(MessageKind::left, {});
  try {
    for (Neighbour& neighbour : neighbours_) {
      if (neighbour.from) drain(*neighbour.from);
    }
    for (Host& host : hosts_) host.peers->drain_all();
  } catch (...) {
    // In-process, where the others have failed or do not leave: their calls say so.
  }
}

const Host& Exchange::Impl::host(std::string_view region) const {
  for (const Host& host : hosts_) {
    if (host.slice.region == region) return host;
  }
  throw std::logic_error("exchange: rank " + std::to_string(communicator_->rank()) +
                         " hosts no slice of " + std::string(region));
}

Exchange::Exchange(Communicator& communicator, const Placement& placement,
                   std::span<const Tract> tracts, std::span<const RegionPorts> ports,
                   std::span<const TractLesion> lesions)
    : impl_(std::make_unique<Impl>(communicator, placement, tracts, ports, lesions)) {}

Exchange::~Exchange() {
  if (std::uncaught_exceptions() > impl_->exceptions_at_start_) {
    impl_->fail("ended by an error of its own");
  } else {
    impl_->leave();
  }
}

Step Exchange::step() const { return impl_->step_; }
void Exchange::receive(Step t) { impl_->receive(t); }
void Exchange::send(Step t) { impl_->send(t); }
const Inbox& Exchange::inbox(std::string_view region) const { return impl_->host(region).inbox; }
Outbox& Exchange::outbox(std::string_view region) { return impl_->host(region).outbox; }
Peers& Exchange::peers(std::string_view region) { return *impl_->host(region).peers; }
void Exchange::request_stop() { impl_->request_stop(); }
Step Exchange::stop_step() const { return impl_->stop_step_; }
std::string Exchange::fail(std::string_view reason) noexcept { return impl_->fail(reason); }
void Exchange::run_or_fail(const std::function<void()>& loop) {
  try {
    loop();
  } catch (const PeerFailure&) {
    throw;
  } catch (const SharedFailure&) {
    throw;
  } catch (const std::exception& error) {
    throw std::runtime_error(fail(error.what()));
  }
}
void Exchange::quiesce() { impl_->quiesce(); }
void Exchange::save(std::string_view region, StateWriter& writer) const {
  impl_->save(region, writer);
}
void Exchange::load(std::string_view region, Step t, StateReader& reader) {
  impl_->load(region, t, reader);
}
const std::vector<TractTraffic>& Exchange::traffic() const { return impl_->traffic_; }

std::vector<RegionPorts> gather_ports(Communicator& communicator,
                                      std::span<const RegionPorts> hosted) {
  // As lines: "region NAME", then "in|out KIND SIZE SUBSTEPS NAME" for each port.
  const auto write = [](std::span<const RegionPorts> regions) {
    std::string text;
    for (const RegionPorts& region : regions) {
      text += "region " + region.region + '\n';
      const auto list = [&](const char* way, const std::vector<Port>& ports) {
        for (const Port& port : ports) {
          text += way + std::to_string(static_cast<int>(port.kind)) + ' ' +
                  std::to_string(port.size) + ' ' + std::to_string(port.substeps) + ' ' +
                  port.name + '\n';
        }
      };
      list("in ", region.inputs);
      list("out ", region.outputs);
    }
    return text;
  };
  const auto read = [](const std::string& text) {
    std::vector<RegionPorts> regions;
    std::istringstream lines(text);
    for (std::string way; lines >> way;) {
      if (way == "region") {
        lines >> regions.emplace_back().region;
        continue;
      }
      int kind = 0;
      Port port;
      lines >> kind >> port.size >> port.substeps >> port.name;
      port.kind = static_cast<PortKind>(kind);
      (way == "in" ? regions.back().inputs : regions.back().outputs).push_back(port);
    }
    return regions;
  };

  std::vector<RegionPorts> all;
  std::string problem;
  for (const Bytes& bytes : communicator.gather("ports", 0, to_bytes(write(hosted)))) {
    for (const RegionPorts& region : read(to_text(bytes))) {
      const auto known = std::find_if(all.begin(), all.end(), [&](const RegionPorts& other) {
        return other.region == region.region;
      });
      if (known == all.end()) {
        all.push_back(region);
      } else if (write({&*known, 1}) != write({&region, 1})) {
        problem = "slices of " + region.region + " disagree about its ports";
      }
    }
  }
  Bytes verdict = to_bytes(problem);
  communicator.broadcast("ports: verdict", 0, verdict);
  if (!verdict.empty()) throw SharedFailure("exchange: " + to_text(verdict));
  // In the order of the atlas, whatever the placement.
  if (communicator.rank() == 0) {
    std::vector<RegionPorts> ordered;
    for (const std::string_view name : region_names()) {
      for (const RegionPorts& region : all) {
        if (region.region == name) ordered.push_back(region);
      }
    }
    all = std::move(ordered);
  }
  Bytes text = to_bytes(write(all));
  communicator.broadcast("ports", 0, text);
  return read(to_text(text));
}

}  // namespace quartet
