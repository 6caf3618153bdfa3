// Theory of operation. The learner's end is one ROUTER socket that belongs to whoever calls adopt() and generate(), one
// thread at a time; each actor has a DEALER whose routing id is its name. Messages to one actor arrive in order, so
// weights that were sent before a job are in place when it begins. generate() cuts its requests into jobs, hands one to
// each actor that has none, and collects groups as they come. A job belongs to one life of a process: when that ends
// (waitpid), or nothing is heard of it for too long, the groups that it still owed are pending again, and a new process
// with a new name takes its place. A file of weights is removed once every actor has said that it samples with newer
// ones.

#include "actor/processes/actor_fleet.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <zmq.hpp>

#include "actor/processes/child_process.h"
#include "actor/processes/fleet_folder.h"
#include "actor/processes/messages.h"
#include "actor/processes/socket.h"
#include "core/check.h"

namespace plumb {
namespace {

using internal::ChildProcess;
using internal::FleetFolder;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook(50);
constexpr std::chrono::seconds kNoGap(1);  // between two looks at the socket
constexpr double kGoodbyeSeconds = 5;

// What an actor is at: requests by their index in the job, with their index in generate().
struct Job {
  std::uint64_t id = 0;
  std::map<std::size_t, std::size_t> owed;
  GenerationProgress progress;
};

struct Process {
  int index = 0;
  std::string name;
  ChildProcess child;
  bool ready = false;
  std::int64_t version = -1;  // that it says it samples with
  Clock::time_point heard = Clock::now();
  std::optional<Job> job = {};
};

// One call of generate().
struct Call {
  std::span<const GenerationRequest> requests;
  const GeneratorOptions& options;
  const std::function<void(std::size_t, const CompletionGroup&)>& on_group;
  std::vector<CompletionGroup> groups = {};
  std::vector<bool> done = {};
  std::deque<std::size_t> pending = {};
  std::size_t num_done = 0;
  std::int64_t new_tokens = 0;  // of groups that are done
  std::int64_t rows = 0;        // likewise, as GenerationProgress has them
  std::int64_t head_rows = 0;
  std::int64_t preempted = 0;       // by jobs that have ended
  std::optional<Error> fault = {};  // the first
  bool stopping = false;

  void fail(Error error) {
    if (!fault) {
      fault = std::move(error);
    }
  }
};

std::int64_t tokens_of(const CompletionGroup& group) {
  std::int64_t tokens = 0;
  for (const Completion& completion : group.completions) {
    tokens += static_cast<std::int64_t>(completion.token_ids.size());
  }
  return tokens;
}

class Fleet final : public ActorFleet {
 public:
  Fleet(ActorFleetOptions options, FleetFolder folder)
      : options_(std::move(options)), folder_(std::move(folder)), socket_(context_, zmq::socket_type::router) {}

  ~Fleet() override {
    for (Process& process : processes_) {
      if (process.ready) {
        send(process, {{"kind", "end"}});
      } else {
        process.child.kill();
      }
    }
    for (Process& process : processes_) {
      process.child.wait(kGoodbyeSeconds);
    }
  }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  Result<void> start(const WeightSet& weights) {
    std::error_code error;
    std::filesystem::create_directories(options_.log_folder, error);
    const std::string endpoint = internal::endpoint_in(folder_.path());
    try {
      socket_.set(zmq::sockopt::linger, 0);
      socket_.set(zmq::sockopt::sndhwm, 0);
      socket_.set(zmq::sockopt::rcvhwm, 0);
      socket_.bind(endpoint);
    } catch (const zmq::error_t& fault) {
      return Error{endpoint + ": the actors' socket cannot be made: " + fault.what()};
    }
    PLUMB_TRY(adopt(weights));
    for (int index = 0; index < options_.num_processes; ++index) {
      PLUMB_TRY(start_process(index));
    }
    return {};
  }

  [[nodiscard]] std::int64_t version() const override { return version_; }

  Result<void> adopt(const WeightSet& weights) override {
    if (weights.version == version_) {
      return {};
    }
    PLUMB_TRY(folder_.add(weights));
    version_ = weights.version;
    for (Process& process : processes_) {
      if (process.ready) {
        send_weights(process);
      }
    }
    return {};
  }

  Result<std::vector<CompletionGroup>> generate(
      std::span<const GenerationRequest> requests, const GeneratorOptions& options,
      const std::function<bool(const GenerationProgress&)>& on_progress,
      const std::function<void(std::size_t, const CompletionGroup&)>& on_group) override {
    PLUMB_CHECK(!options.on_token, "actor processes do not report single tokens");
    Call call{requests, options, on_group};
    begin(call);
    listen(call, {});  // what was said since the last call
    while (call.num_done < requests.size() && !call.fault) {
      mend(call);
      hand_out(call);
      listen(call, kLook);
      if (on_progress && !on_progress(progress_of(call))) {
        break;
      }
    }
    stop_all(call);
    if (call.fault) {
      return *call.fault;
    }
    if (on_progress) {
      on_progress(progress_of(call));
    }
    return std::move(call.groups);
  }

  std::vector<std::string> take_notes() override { return std::exchange(notes_, {}); }

 private:
  Result<void> start_process(int index) {
    const std::string name = fmt::format("actor-{}.{}", index, ++starts_);
    std::vector<std::string> argv = {options_.program};
    argv.insert(argv.end(), options_.arguments.begin(), options_.arguments.end());
    for (const std::string& word : {std::string("--folder"), folder_.path(), std::string("--name"), name,
                                    std::string("--learner"), std::to_string(getpid())}) {
      argv.push_back(word);
    }
    PLUMB_ASSIGN(ChildProcess child, ChildProcess::start(argv, log_of(index)));
    processes_.push_back({.index = index, .name = name, .child = std::move(child)});
    return {};
  }

  [[nodiscard]] std::string log_of(int index) const {
    return fmt::format("{}/actor-{}.log", options_.log_folder, index);
  }

  void send(const Process& process, const json& message) {
    const std::string frame = internal::to_frame(message);
    internal::uninterrupted([&] { return socket_.send(zmq::buffer(process.name), zmq::send_flags::sndmore); });
    internal::uninterrupted([&] { return socket_.send(zmq::buffer(frame)); });
  }

  void send_weights(const Process& process) {
    send(process, {{"kind", "weights"}, {"path", folder_.weights_file(version_)}});
  }

  void begin(Call& call) {
    call.done.assign(call.requests.size(), false);
    for (std::size_t i = 0; i < call.requests.size(); ++i) {
      const GenerationRequest& request = call.requests[i];
      call.groups.push_back({request.prompt, request.prompt_token_ids, request.draw, {}});
      call.groups.back().completions.resize(static_cast<std::size_t>(request.num_samples));
      std::uint32_t sample = 0;
      for (Completion& completion : call.groups.back().completions) {
        completion.finish_reason = FinishReason::kAborted;
        completion.stream = {static_cast<std::uint32_t>(call.options.purpose), call.options.seed, request.draw,
                             sample++};
      }
      if (request.num_samples > 0) {
        call.pending.push_back(i);
      } else {
        call.done[i] = true;
        ++call.num_done;
      }
    }
  }

  // Puts a new process in the place of each that has ended or hangs.
  void mend(Call& call) {
    for (std::size_t i = 0; i < processes_.size();) {
      const bool hung = hangs(processes_[i]);
      if (hung) {
        processes_[i].child.kill();
        processes_[i].child.wait(kGoodbyeSeconds);
      }
      const std::string end =
          hung ? fmt::format("said nothing for {:g} s and was ended", options_.timeout_s) : processes_[i].child.ended();
      if (end.empty()) {
        ++i;
        continue;
      }
      const Process lost = std::move(processes_[i]);
      processes_.erase(processes_.begin() + static_cast<std::ptrdiff_t>(i));
      if (const auto replaced = replace(lost, end, call); !replaced) {
        call.fail(replaced.error());
      }
    }
    if (processes_.empty()) {
      call.fail(
          Error{fmt::format("no actor process is left after {} restarts: {}", restarts_, fmt::join(notes_, "; "))});
    }
  }

  [[nodiscard]] bool hangs(const Process& process) const {
    return (process.job || !process.ready) &&
           Clock::now() - process.heard > std::chrono::duration<double>(options_.timeout_s);
  }

  Result<void> replace(const Process& lost, const std::string& end, Call& call) {
    const std::size_t owed = lost.job ? lost.job->owed.size() : 0;
    if (lost.job) {
      for (const auto& [at, request] : lost.job->owed) {
        call.pending.push_front(request);
      }
    }
    const bool again = restarts_ < options_.max_restarts;
    notes_.push_back(fmt::format("actor {} {} (its output: {}); {} of its prompts are to be sampled again{}",
                                 lost.index, end, log_of(lost.index), owed, again ? ", and it is started again" : ""));
    restarts_ += again ? 1 : 0;
    return again ? start_process(lost.index) : Result<void>();
  }

  // Requests for one job: an equal part of the call's, as decoding few completions at once is slow; but no more than
  // two full batches, so that who is done early takes more.
  [[nodiscard]] std::size_t share_of(const Call& call) const {
    const auto batch = static_cast<std::size_t>(std::max(1, call.options.max_batch));
    const auto samples = static_cast<std::size_t>(std::max(1, call.requests[call.pending.front()].num_samples));
    const std::size_t equal = (call.requests.size() + processes_.size() - 1) / processes_.size();
    return std::min({equal, (2 * batch + samples - 1) / samples, call.pending.size()});
  }

  void hand_out(Call& call) {
    for (Process& process : processes_) {
      if (!process.ready || process.job || call.pending.empty()) {
        continue;
      }
      const std::size_t share = share_of(call);
      Job job{++jobs_, {}, {}};
      std::vector<GenerationRequest> requests;
      while (requests.size() < share) {
        job.owed.emplace(requests.size(), call.pending.front());
        requests.push_back(call.requests[call.pending.front()]);
        call.pending.pop_front();
      }
      send(process, internal::generate_message(job.id, call.options, requests));
      process.job = std::move(job);
      process.heard = Clock::now();
    }
  }

  // Waits for messages, `wait` at most, and takes all that are there.
  void listen(Call& call, std::chrono::milliseconds wait) {
    forgive_own_silence();
    if (internal::readable(socket_, wait)) {
      zmq::message_t name;
      zmq::message_t body;
      while (internal::uninterrupted([&] { return socket_.recv(name, zmq::recv_flags::dontwait); }) &&
             internal::uninterrupted([&] { return socket_.recv(body); })) {
        take(name.to_string_view(), body.to_string_view(), call);
      }
    }
    listened_ = Clock::now();
  }

  // While nobody listened (the learner learned, wrote weights, or was stopped) no actor could be heard.
  void forgive_own_silence() {
    if (const auto gap = Clock::now() - listened_; gap > kNoGap) {
      for (Process& process : processes_) {
        process.heard += gap;
      }
    }
  }

  void take(std::string_view name, std::string_view body, Call& call) {
    const auto from = std::ranges::find(processes_, name, &Process::name);
    if (from == processes_.end()) {
      return;  // it was taken for dead, and its work is done again
    }
    from->heard = Clock::now();
    try {
      const auto message = internal::from_frame(body);
      const auto taken = message ? take(*from, *message, call) : Result<void>(message.error());
      if (!taken) {
        call.fail(taken.error().with_context(from->name));
      }
    } catch (const json::exception& error) {
      call.fail(Error{from->name + ": a message of this actor is damaged: " + error.what()});
    }
  }

  Result<void> take(Process& from, const json& message, Call& call) {
    const std::string kind = message.at("kind");
    if (kind == "ready") {
      from.ready = true;
      send_weights(from);
    } else if (kind == "weights") {
      from.version = message.at("version");
      forget_weights();
    } else if (from.job && message.value("job", std::uint64_t{0}) == from.job->id) {
      return take_of_job(from, kind, message, call);
    }
    return {};
  }

  Result<void> take_of_job(Process& from, const std::string& kind, const json& message, Call& call) {
    if (kind == "progress") {
      from.job->progress.new_tokens = message.at("new_tokens");
      from.job->progress.preempted = message.at("preempted");
    } else if (kind == "group") {
      return take_group(*from.job, message, call);
    } else if (kind == "fault") {
      from.job.reset();
      return Error{message.at("text")};
    } else if (kind == "done") {
      call.preempted += from.job->progress.preempted;
      const bool owes = !from.job->owed.empty() && !call.stopping;
      from.job.reset();
      return owes ? Result<void>(Error{"the actor ended its job without all of its completions"}) : Result<void>();
    }
    return {};
  }

  Result<void> take_group(Job& job, const json& message, Call& call) {
    const auto owed = job.owed.find(message.at("index"));
    if (owed == job.owed.end()) {
      return {};
    }
    const std::size_t request = owed->second;
    job.owed.erase(owed);
    CompletionGroup& group = call.groups[request];
    PLUMB_ASSIGN(auto completions, internal::completions_from_json(message.at("completions")));
    if (completions.size() != group.completions.size()) {
      return Error{"the actor sent another number of completions than was asked for"};
    }
    group.completions = std::move(completions);
    job.progress.new_tokens = std::max<std::int64_t>(0, job.progress.new_tokens - tokens_of(group));
    call.new_tokens += tokens_of(group);
    // The last token of each has no successor.
    call.rows += std::ssize(group.prompt_token_ids) + tokens_of(group) - std::ssize(group.completions);
    call.head_rows += tokens_of(group);
    call.done[request] = true;
    ++call.num_done;
    if (call.on_group) {
      call.on_group(request, group);
    }
    return {};
  }

  void forget_weights() {
    std::int64_t oldest = version_;
    for (const Process& process : processes_) {
      oldest = process.ready ? std::min(oldest, process.version) : oldest;
    }
    folder_.remove_before(oldest);
  }

  [[nodiscard]] GenerationProgress progress_of(const Call& call) const {
    GenerationProgress progress{
        .new_tokens = call.new_tokens, .preempted = call.preempted, .rows = call.rows, .head_rows = call.head_rows};
    for (std::size_t i = 0; i < call.requests.size(); ++i) {
      progress.total += call.requests[i].num_samples;
      progress.finished += call.done[i] ? call.requests[i].num_samples : 0;
    }
    for (const Process& process : processes_) {
      progress.new_tokens += process.job ? process.job->progress.new_tokens : 0;
      progress.preempted += process.job ? process.job->progress.preempted : 0;
    }
    return progress;
  }

  // Ends the jobs that are still at work: of a call that was stopped, or that failed.
  void stop_all(Call& call) {
    call.stopping = true;
    for (const Process& process : processes_) {
      if (process.job && !process.job->owed.empty()) {
        send(process, {{"kind", "stop"}});
      }
    }
    while (std::ranges::any_of(processes_, [](const Process& process) { return process.job.has_value(); })) {
      if (!mend_stopped()) {
        listen(call, kLook);
      }
    }
  }

  // Takes the job from a process that ended or hangs. The next call puts another in its place.
  bool mend_stopped() {
    bool any = false;
    for (Process& process : processes_) {
      if (process.job && (hangs(process) || !process.child.ended().empty())) {
        process.child.kill();
        process.job.reset();
        any = true;
      }
    }
    return any;
  }

  ActorFleetOptions options_;
  FleetFolder folder_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::vector<Process> processes_;
  std::vector<std::string> notes_;
  Clock::time_point listened_ = Clock::now();
  std::int64_t version_ = -1;
  std::uint64_t jobs_ = 0;
  int starts_ = 0;
  int restarts_ = 0;
};

std::int64_t bytes_of(const WeightSet& weights) {
  std::int64_t bytes = 0;
  for (const NamedTensor& tensor : weights.tensors) {
    bytes += static_cast<std::int64_t>(tensor.values.size() * sizeof(float));
  }
  return bytes;
}

}  // namespace

Result<std::unique_ptr<ActorFleet>> ActorFleet::start(ActorFleetOptions options, const WeightSet& weights) {
  PLUMB_ASSIGN(FleetFolder folder, FleetFolder::make(bytes_of(weights)));
  auto fleet = std::make_unique<Fleet>(std::move(options), std::move(folder));
  PLUMB_TRY(fleet->start(weights));
  return std::unique_ptr<ActorFleet>(std::move(fleet));
}

}  // namespace plumb
