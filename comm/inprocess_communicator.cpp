#include "comm/inprocess_communicator.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

#include "comm/float_mode.hpp"

namespace quartet {
namespace {

/// All that the threads share, under one mutex. A rank that must wait registers what for; when all
/// ranks wait, or have ended, and nothing that anyone waits for is there, that is a deadlock.
struct World {
  struct Rank {
    std::condition_variable wake;
    const std::function<bool()>* ready = nullptr;            // set while it waits
    const std::function<std::string()>* describe = nullptr;  // what it waits for
    bool ended = false;
  };

  explicit World(int ranks) : ranks(static_cast<std::size_t>(ranks)) {}

  std::mutex mutex;
  std::vector<Rank> ranks;
  std::optional<std::string> failure;  // the first one's message
  std::exception_ptr first;            // to rethrow
  std::exception_ptr relayed;          // what a rank heard of another's failure
  bool diverged = false;               // the failure is a DivergedCalls

  /// Throws what the failure of another rank means here.
  [[noreturn]] void throw_failure() const {
    if (diverged) throw DivergedCalls(*failure);
    throw PeerFailure(*failure);
  }

  void fail(const std::string& message) {
    if (failure) return;
    failure = message;
    for (Rank& rank : ranks) rank.wake.notify_all();
  }

  [[noreturn]] void fail_diverged(const std::string& message) {
    if (!failure) diverged = true;
    fail(message);
    throw_failure();
  }

  bool deadlocked() const {
    bool anyone_waits = false;
    for (const Rank& rank : ranks) {
      if (rank.ended) continue;
      if (rank.ready == nullptr || (*rank.ready)()) return false;
      anyone_waits = true;
    }
    return anyone_waits;
  }

  std::string what_all_do() const {
    std::string text = "all ranks wait for one another:";
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      text += (i == 0 ? " rank " : "; rank ") + std::to_string(i) + " ";
      text += ranks[i].ended ? "has ended" : "waits in " + (*ranks[i].describe)();
    }
    return text;
  }

  /// Waits until ready(); `rank` is the caller.
  void wait(std::unique_lock<std::mutex>& lock, int rank, const std::function<bool()>& ready,
            const std::function<std::string()>& describe) {
    Rank& me = ranks[static_cast<std::size_t>(rank)];
    for (;;) {
      if (failure) throw_failure();
      if (ready()) return;
      me.ready = &ready;
      me.describe = &describe;
      if (deadlocked()) {
        const std::string message = what_all_do();
        me.ready = nullptr;
        fail_diverged(message);
      }
      me.wake.wait(lock);
      me.ready = nullptr;
    }
  }

  void end(int rank) {
    ranks[static_cast<std::size_t>(rank)].ended = true;
    if (!failure && deadlocked()) {
      diverged = true;
      fail(what_all_do());
    }
  }
};

/// A lane's slots, filled by one rank and emptied by another.
struct Mailbox {
  Mailbox(std::size_t max_bytes, int slots) : max_bytes(max_bytes), slots(slots) {
    for (Bytes& slot : this->slots) slot.resize(max_bytes);
    lengths.resize(this->slots.size());
  }
  std::size_t max_bytes;
  std::vector<Bytes> slots;
  std::vector<std::size_t> lengths;
  std::uint64_t sent = 0;
  std::uint64_t released = 0;
};

/// The ranks of one communicator. Numbers of ranks are within the group; `members` are the world's.
struct Group {
  std::vector<int> members;
  std::map<std::tuple<int, int, int>, std::shared_ptr<Mailbox>> mailboxes;  // (from, to, tag)

  // The collective under way.
  std::uint64_t generation = 0;
  std::size_t arrived = 0;
  std::string name;
  int first_rank = 0;
  std::vector<Bytes> contributions;
  std::shared_ptr<const std::vector<Bytes>> result;
  std::map<int, std::shared_ptr<Group>> children;  // of the last split, by color
};

class InProcessSendLane final : public SendLane {
 public:
  InProcessSendLane(World& world, std::shared_ptr<Mailbox> mailbox, int me, int to)
      : world_(world), mailbox_(std::move(mailbox)), me_(me), to_(to) {}

  std::span<std::byte> buffer() override {
    std::unique_lock lock(world_.mutex);
    world_.wait(
        lock, me_, [this] { return mailbox_->sent - mailbox_->released < mailbox_->slots.size(); },
        [this] {
          return "a message to rank " + std::to_string(to_) + ", whose slots are all full";
        });
    return mailbox_->slots[mailbox_->sent % mailbox_->slots.size()];
  }

  void send(std::size_t bytes) override {
    const std::lock_guard lock(world_.mutex);
    mailbox_->lengths[mailbox_->sent % mailbox_->slots.size()] = bytes;
    ++mailbox_->sent;
    world_.ranks[static_cast<std::size_t>(to_)].wake.notify_all();
  }

 private:
  World& world_;
  std::shared_ptr<Mailbox> mailbox_;
  int me_, to_;  // in the world
};

class InProcessReceiveLane final : public ReceiveLane {
 public:
  InProcessReceiveLane(World& world, std::shared_ptr<Mailbox> mailbox, int from, int me)
      : world_(world), mailbox_(std::move(mailbox)), from_(from), me_(me) {}

  std::span<const std::byte> receive() override {
    std::unique_lock lock(world_.mutex);
    mailbox_->released = received_;
    world_.ranks[static_cast<std::size_t>(from_)].wake.notify_all();
    world_.wait(
        lock, me_, [this] { return mailbox_->sent > received_; },
        [this] { return "a message from rank " + std::to_string(from_); });
    const std::size_t slot = received_++ % mailbox_->slots.size();
    return std::span(mailbox_->slots[slot]).first(mailbox_->lengths[slot]);
  }

 private:
  World& world_;
  std::shared_ptr<Mailbox> mailbox_;
  int from_, me_;  // in the world
  std::uint64_t received_ = 0;
};

class InProcessCommunicator final : public Communicator {
 public:
  InProcessCommunicator(World& world, std::shared_ptr<Group> group, int rank)
      : world_(world), group_(std::move(group)), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(group_->members.size()); }

  std::unique_ptr<SendLane> open_send(int to, int tag, std::size_t max_bytes, int slots) override {
    return std::make_unique<InProcessSendLane>(world_, mailbox(rank_, to, tag, max_bytes, slots),
                                               in_world(rank_), in_world(to));
  }
  std::unique_ptr<ReceiveLane> open_receive(int from, int tag, std::size_t max_bytes,
                                            int slots) override {
    return std::make_unique<InProcessReceiveLane>(
        world_, mailbox(from, rank_, tag, max_bytes, slots), in_world(from), in_world(rank_));
  }

  void barrier(std::string_view name) override { meet("barrier", name, {}); }

  void all_reduce_sum(std::string_view name, std::span<std::int64_t> values) override {
    reduce("all_reduce_sum", name, values, [](std::int64_t a, std::int64_t b) { return a + b; });
  }
  void all_reduce_max(std::string_view name, std::span<std::int64_t> values) override {
    reduce("all_reduce_max", name, values,
           [](std::int64_t a, std::int64_t b) { return std::max(a, b); });
  }

  std::vector<Bytes> gather(std::string_view name, int root,
                            std::span<const std::byte> bytes) override {
    const auto all = meet("gather to rank " + std::to_string(root), name, bytes);
    return rank_ == root ? *all : std::vector<Bytes>{};
  }

  void broadcast(std::string_view name, int root, Bytes& bytes) override {
    const auto all =
        meet("broadcast from rank " + std::to_string(root), name,
             rank_ == root ? std::span<const std::byte>(bytes) : std::span<const std::byte>());
    bytes = (*all)[static_cast<std::size_t>(root)];
  }

  std::unique_ptr<Communicator> split(std::string_view name, int color, int key) override {
    const int mine[] = {color, key};
    const auto all = meet("split", name, std::as_bytes(std::span(mine)));
    std::vector<std::pair<int, int>> members;  // (key, rank)
    for (int rank = 0; rank < size(); ++rank) {
      int theirs[2];
      std::copy_n((*all)[static_cast<std::size_t>(rank)].data(), sizeof theirs,
                  reinterpret_cast<std::byte*>(theirs));
      if (theirs[0] == color) members.emplace_back(theirs[1], rank);
    }
    std::sort(members.begin(), members.end());
    const auto me = std::find_if(members.begin(), members.end(),
                                 [&](const auto& member) { return member.second == rank_; });
    std::shared_ptr<Group> group;
    {
      const std::lock_guard lock(world_.mutex);
      std::shared_ptr<Group>& child = group_->children[color];
      if (!child) {
        child = std::make_shared<Group>();
        for (const auto& member : members) child->members.push_back(in_world(member.second));
      }
      group = child;
    }
    // The next split must find no children of this one.
    meet("end of split", name, {});
    {
      const std::lock_guard lock(world_.mutex);
      group_->children.erase(color);
    }
    meet("end of split", name, {});
    return std::make_unique<InProcessCommunicator>(world_, std::move(group),
                                                   static_cast<int>(me - members.begin()));
  }

  [[noreturn]] void abort(std::string_view reason, int code) override {
    {
      const std::lock_guard lock(world_.mutex);
      world_.fail(std::string(reason));
    }
    throw Aborted(std::string(reason), code);
  }

 private:
  int in_world(int rank) const {
    if (rank < 0 || rank >= size()) {
      throw std::out_of_range("no rank " + std::to_string(rank) + " among " +
                              std::to_string(size()));
    }
    return group_->members[static_cast<std::size_t>(rank)];
  }

  std::shared_ptr<Mailbox> mailbox(int from, int to, int tag, std::size_t max_bytes, int slots) {
    const std::lock_guard lock(world_.mutex);
    std::shared_ptr<Mailbox>& box = group_->mailboxes[{from, to, tag}];
    if (!box) box = std::make_shared<Mailbox>(max_bytes, slots);
    if (box->max_bytes != max_bytes || box->slots.size() != static_cast<std::size_t>(slots)) {
      world_.fail_diverged("ranks " + std::to_string(from) + " and " + std::to_string(to) +
                           " opened lane " + std::to_string(tag) + " with different sizes");
    }
    return box;
  }

  /// What every collective is made of: all ranks' bytes, once all have come with the same call.
  std::shared_ptr<const std::vector<Bytes>> meet(const std::string& kind, std::string_view name,
                                                 std::span<const std::byte> bytes) {
    const std::string call = kind + " '" + std::string(name) + "'";
    std::unique_lock lock(world_.mutex);
    if (world_.failure) world_.throw_failure();
    Group& group = *group_;
    if (group.arrived == 0) {
      group.name = call;
      group.first_rank = rank_;
      group.contributions.resize(group.members.size());
    } else if (group.name != call) {
      world_.fail_diverged("rank " + std::to_string(group.first_rank) + " is in " + group.name +
                           " while rank " + std::to_string(rank_) + " is in " + call);
    }
    group.contributions[static_cast<std::size_t>(rank_)].assign(bytes.begin(), bytes.end());
    if (++group.arrived == group.members.size()) {
      group.result =
          std::make_shared<const std::vector<Bytes>>(std::exchange(group.contributions, {}));
      group.arrived = 0;
      ++group.generation;
      for (const int member : group.members) {
        world_.ranks[static_cast<std::size_t>(member)].wake.notify_all();
      }
    } else {
      const std::uint64_t mine = group.generation;
      world_.wait(
          lock, in_world(rank_), [&] { return group.generation != mine; }, [&] { return call; });
    }
    return group.result;  // stays until this rank joins the next collective
  }

  template <class Operation>
  void reduce(const std::string& kind, std::string_view name, std::span<std::int64_t> values,
              Operation operation) {
    const auto all = meet(kind + " of " + std::to_string(values.size()), name,
                          std::as_bytes(std::span<const std::int64_t>(values)));
    std::vector<std::int64_t> theirs(values.size());
    for (std::size_t rank = 0; rank < all->size(); ++rank) {
      std::copy_n((*all)[rank].data(), values.size_bytes(),
                  reinterpret_cast<std::byte*>(theirs.data()));
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = rank == 0 ? theirs[i] : operation(values[i], theirs[i]);
      }
    }
  }

  World& world_;
  std::shared_ptr<Group> group_;
  int rank_;
};

}  // namespace

void run_in_process(int ranks, const std::function<void(Communicator&)>& body) {
  if (ranks < 1) throw std::invalid_argument("a run needs at least one rank");
  World world(ranks);
  const auto everyone = std::make_shared<Group>();
  for (int rank = 0; rank < ranks; ++rank) everyone->members.push_back(rank);

  const auto run = [&](int rank) {
    set_flush_to_zero();
    InProcessCommunicator communicator(world, everyone, rank);
    try {
      body(communicator);
    } catch (const PeerFailure& error) {
      const std::lock_guard lock(world.mutex);
      if (!world.relayed) world.relayed = std::current_exception();
      world.fail(error.what());
    } catch (const std::exception& error) {
      const std::lock_guard lock(world.mutex);
      if (!world.first) world.first = std::current_exception();
      world.fail(error.what());
    } catch (...) {
      const std::lock_guard lock(world.mutex);
      if (!world.first) world.first = std::current_exception();
      world.fail("rank " + std::to_string(rank) + " failed for an unknown reason");
    }
    const std::lock_guard lock(world.mutex);
    world.end(rank);
  };

  if (ranks == 1) {
    run(0);
  } else {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < ranks; ++rank) threads.emplace_back(run, rank);
  }
  if (world.first) std::rethrow_exception(world.first);
  if (world.relayed) std::rethrow_exception(world.relayed);
}

}  // namespace quartet
