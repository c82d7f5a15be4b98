#include "comm/mpi_communicator.hpp"

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <utility>

#include "comm/float_mode.hpp"

// MPI's default error handler, which ends all ranks with a message, is what we want: no call here
// can be repeated after an error. So return codes are not looked at.

namespace quartet {
namespace {

constexpr int bulk_tag = 32000;  // of gather; lanes have lower ones

/// Buffers that a message may still be leaving when its lane is closed: kept until the process
/// ends, because MPI can neither cancel a send nor be waited for without the receiver.
std::vector<Bytes>& unsent_buffers() {
  static std::vector<Bytes> buffers;
  return buffers;
}

/// MPI_Wait that gives the core away while there is nothing: another rank may need it to send what
/// this one waits for. (Libraries spin, unless told not to; MPICH cannot be told. Measured with 4
/// ranks on 2 cores: milliseconds a timestep instead of microseconds.)
void wait(MPI_Request& request, MPI_Status* status = MPI_STATUS_IGNORE) {
  constexpr int spins = 50;
  int done = 0;
  for (int spin = 0;; ++spin) {
    MPI_Test(&request, &done, status);
    if (done != 0) return;
    if (spin >= spins) std::this_thread::yield();
  }
}

class MpiSendLane final : public SendLane {
 public:
  MpiSendLane(MPI_Comm comm, int to, int tag, std::size_t max_bytes, int slots)
      : comm_(comm), to_(to), tag_(tag) {
    slots_.resize(static_cast<std::size_t>(slots), Bytes(max_bytes));
    requests_.resize(slots_.size(), MPI_REQUEST_NULL);
  }
  ~MpiSendLane() override {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      int done = 1;
      MPI_Test(&requests_[i], &done, MPI_STATUS_IGNORE);
      if (done != 0) continue;
      MPI_Request_free(&requests_[i]);
      unsent_buffers().push_back(std::move(slots_[i]));
    }
  }

  std::span<std::byte> buffer() override {
    wait(requests_[next_]);
    return slots_[next_];
  }
  void send(std::size_t bytes) override {
    MPI_Isend(slots_[next_].data(), static_cast<int>(bytes), MPI_BYTE, to_, tag_, comm_,
              &requests_[next_]);
    next_ = (next_ + 1) % slots_.size();
  }

 private:
  MPI_Comm comm_;
  int to_, tag_;
  std::vector<Bytes> slots_;
  std::vector<MPI_Request> requests_;
  std::size_t next_ = 0;
};

class MpiReceiveLane final : public ReceiveLane {
 public:
  MpiReceiveLane(MPI_Comm comm, int from, int tag, std::size_t max_bytes, int slots) {
    // One more slot than can be on their way: the one whose message is being read.
    slots_.resize(static_cast<std::size_t>(slots) + 1, Bytes(max_bytes));
    requests_.resize(slots_.size(), MPI_REQUEST_NULL);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      MPI_Recv_init(slots_[i].data(), static_cast<int>(max_bytes), MPI_BYTE, from, tag, comm,
                    &requests_[i]);
    }
    MPI_Startall(static_cast<int>(requests_.size()), requests_.data());
  }
  ~MpiReceiveLane() override {
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (!(reading_ && i == previous())) {
        MPI_Cancel(&requests_[i]);
        MPI_Wait(&requests_[i], MPI_STATUS_IGNORE);
      }
      MPI_Request_free(&requests_[i]);
    }
  }

  std::span<const std::byte> receive() override {
    // Posted in the order of the ring, so messages fill the slots in that order.
    if (reading_) MPI_Start(&requests_[previous()]);
    reading_ = false;
    MPI_Status status;
    wait(requests_[next_], &status);
    int bytes = 0;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    const std::span<const std::byte> message(slots_[next_].data(), static_cast<std::size_t>(bytes));
    next_ = (next_ + 1) % slots_.size();
    reading_ = true;
    return message;
  }

 private:
  std::size_t previous() const { return (next_ + slots_.size() - 1) % slots_.size(); }

  std::vector<Bytes> slots_;
  std::vector<MPI_Request> requests_;
  std::size_t next_ = 0;
  bool reading_ = false;  // the slot before next_ holds the message that the caller may be reading
};

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator(MPI_Comm comm, bool owned) : comm_(comm), owned_(owned) {
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }
  ~MpiCommunicator() override {
    // Freeing is collective: not while an exception unwinds on this rank alone.
    if (owned_ && std::uncaught_exceptions() == 0) MPI_Comm_free(&comm_);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  std::unique_ptr<SendLane> open_send(int to, int tag, std::size_t max_bytes, int slots) override {
    return std::make_unique<MpiSendLane>(comm_, to, tag, max_bytes, slots);
  }
  std::unique_ptr<ReceiveLane> open_receive(int from, int tag, std::size_t max_bytes,
                                            int slots) override {
    return std::make_unique<MpiReceiveLane>(comm_, from, tag, max_bytes, slots);
  }

  void barrier(std::string_view name) override { agree("barrier", name); }

  void all_reduce_sum(std::string_view name, std::span<std::int64_t> values) override {
    reduce("all_reduce_sum", name, values, MPI_SUM);
  }
  void all_reduce_max(std::string_view name, std::span<std::int64_t> values) override {
    reduce("all_reduce_max", name, values, MPI_MAX);
  }

  std::vector<Bytes> gather(std::string_view name, int root,
                            std::span<const std::byte> bytes) override {
    agree("gather to rank " + std::to_string(root), name);
    const auto mine = static_cast<std::int64_t>(bytes.size());
    std::vector<std::int64_t> sizes(rank_ == root ? static_cast<std::size_t>(size_) : 0);
    MPI_Gather(&mine, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, root, comm_);
    if (rank_ != root) {
      in_chunks(bytes.size(), [&](std::size_t offset, int count) {
        MPI_Send(bytes.data() + offset, count, MPI_BYTE, root, bulk_tag, comm_);
      });
      return {};
    }
    std::vector<Bytes> all(sizes.size());
    for (int from = 0; from < size_; ++from) {
      Bytes& theirs = all[static_cast<std::size_t>(from)];
      if (from == root) {
        theirs.assign(bytes.begin(), bytes.end());
        continue;
      }
      theirs.resize(static_cast<std::size_t>(sizes[static_cast<std::size_t>(from)]));
      in_chunks(theirs.size(), [&](std::size_t offset, int count) {
        MPI_Recv(theirs.data() + offset, count, MPI_BYTE, from, bulk_tag, comm_, MPI_STATUS_IGNORE);
      });
    }
    return all;
  }

  void broadcast(std::string_view name, int root, Bytes& bytes) override {
    agree("broadcast from rank " + std::to_string(root), name);
    auto length = static_cast<std::int64_t>(bytes.size());
    MPI_Bcast(&length, 1, MPI_INT64_T, root, comm_);
    bytes.resize(static_cast<std::size_t>(length));
    in_chunks(bytes.size(), [&](std::size_t offset, int count) {
      MPI_Bcast(bytes.data() + offset, count, MPI_BYTE, root, comm_);
    });
  }

  std::unique_ptr<Communicator> split(std::string_view name, int color, int key) override {
    agree("split", name);
    MPI_Comm part = MPI_COMM_NULL;
    MPI_Comm_split(comm_, color, key, &part);
    return std::make_unique<MpiCommunicator>(part, true);
  }

  [[noreturn]] void abort(std::string_view reason, int code) override {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(reason.size()), reason.data());
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, code);
    std::abort();  // MPI_Abort is not declared noreturn
  }

 private:
  /// MPI counts with int; so no message is longer than this.
  template <class Transfer>
  static void in_chunks(std::size_t bytes, Transfer transfer) {
    constexpr std::size_t chunk = std::size_t{1} << 30;
    for (std::size_t offset = 0; offset < bytes; offset += chunk) {
      transfer(offset, static_cast<int>(std::min(chunk, bytes - offset)));
    }
  }

  void reduce(const std::string& kind, std::string_view name, std::span<std::int64_t> values,
              MPI_Op operation) {
    agree(kind + " of " + std::to_string(values.size()), name);
    MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_INT64_T,
                  operation, comm_);
  }

  /// Every collective begins here, with the same MPI calls whatever it is, so that different ones
  /// meet and are told apart. Throws DivergedCalls on all ranks.
  void agree(const std::string& kind, std::string_view name) const {
    std::array<char, 128> call{};
    std::snprintf(call.data(), call.size(), "%s '%.*s'", kind.c_str(),
                  static_cast<int>(name.size()), name.data());
    std::uint64_t hash = 14695981039346656037u;  // FNV-1a
    for (const char c : call) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    std::uint64_t extremes[] = {hash, ~hash};
    MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_UINT64_T, MPI_MAX, comm_);
    if (extremes[0] == ~extremes[1]) return;

    std::vector<std::array<char, 128>> calls(static_cast<std::size_t>(size_));
    MPI_Allgather(call.data(), static_cast<int>(call.size()), MPI_CHAR, calls.data(),
                  static_cast<int>(call.size()), MPI_CHAR, comm_);
    const auto other = std::find_if(calls.begin(), calls.end(),
                                    [&](const auto& theirs) { return theirs != calls[0]; });
    throw DivergedCalls("rank 0 is in " + std::string(calls[0].data()) + " while rank " +
                        std::to_string(other - calls.begin()) + " is in " +
                        std::string(other->data()));
  }

  MPI_Comm comm_;
  bool owned_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace

MpiSession::MpiSession(int& argc, char**& argv) : exceptions_at_start_(std::uncaught_exceptions()) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  set_flush_to_zero();
  world_ = std::make_unique<MpiCommunicator>(MPI_COMM_WORLD, false);
}

MpiSession::~MpiSession() {
  if (std::uncaught_exceptions() > exceptions_at_start_) {
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  try {
    // A rank that is still in another collective learns here that this one has ended.
    world_->barrier("the end of the run");
  } catch (const DivergedCalls& error) {
    if (world_->rank() != 0) std::this_thread::sleep_for(std::chrono::seconds(1));
    world_->abort(std::string("quartet: ") + error.what(), 1);
  }
  MPI_Finalize();
}

int run_under_mpi(int argc, char** argv, const std::function<int(Communicator&)>& body,
                  int failure_code) {
  MpiSession session(argc, argv);
  Communicator& world = session.world();
  std::string text;
  int code = failure_code;
  try {
    return body(world);
  } catch (const PeerFailure& failure) {
    // The rank that failed is about to end us all; if it cannot any more, do it.
    std::this_thread::sleep_for(std::chrono::seconds(5));
    text = failure.what();
  } catch (const SharedFailure& failure) {
    if (world.rank() != 0) std::this_thread::sleep_for(std::chrono::seconds(1));
    text = failure.what();
  } catch (const Aborted& failure) {
    text = failure.what();
    code = failure.code;
  } catch (const std::exception& failure) {
    text = failure.what();
    if (!text.starts_with("rank ")) text = "rank " + std::to_string(world.rank()) + ": " + text;
  }
  world.abort("quartet: " + text, code);
  return code;  // GCC 12 forgets that a virtual function does not return
}

}  // namespace quartet
