#include "actor/processes/actor_process.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <zmq.hpp>

#include "actor/generator.h"
#include "actor/processes/fleet_folder.h"
#include "actor/processes/messages.h"
#include "actor/processes/socket.h"
#include "policy/weight_set.h"

namespace plumb {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook(500);            // how often it looks whether the learner is there
constexpr std::chrono::milliseconds kBetweenReports(200);  // of progress
constexpr int kLinger = 1000;                              // ms that last messages may take

class ActorProcess {
 public:
  ActorProcess(const ModelConfig& config, const Tokenizer& tokenizer, ThreadPool& pool,
               const ActorProcessOptions& options)
      : config_(config),
        tokenizer_(tokenizer),
        pool_(pool),
        options_(options),
        socket_(context_, zmq::socket_type::dealer) {}

  Result<void> run() {
    if (std::error_code ignored; !std::filesystem::is_directory(options_.folder, ignored)) {
      return Error{options_.folder +
                   ": no such folder; plumb grpo with grpo.actor_processes makes one and starts actors"};
    }
    const std::string endpoint = internal::endpoint_in(options_.folder);
    try {
      socket_.set(zmq::sockopt::linger, kLinger);
      socket_.set(zmq::sockopt::routing_id, options_.name);
      socket_.connect(endpoint);
      PLUMB_TRY(serve());
    } catch (const zmq::error_t& error) {
      return Error{endpoint + ": cannot be talked to: " + error.what()};
    } catch (const json::exception& error) {
      return Error{std::string("a message of the learner is damaged: ") + error.what()};
    }
    if (!ended_ && internal::is_fleet_folder(options_.folder)) {
      std::error_code ignored;  // another actor may be at it
      std::filesystem::remove_all(options_.folder, ignored);
    }
    return {};
  }

 private:
  Result<void> serve() {
    send({{"kind", "ready"}});
    while (!ended_ && learner_is_there()) {
      if (internal::readable(socket_, kLook)) {
        PLUMB_TRY(take_all());
      }
      if (job_) {
        PLUMB_TRY(generate());
      }
    }
    return {};
  }

  [[nodiscard]] bool learner_is_there() const { return options_.learner == 0 || getppid() == options_.learner; }

  void send(const json& message) {
    const std::string frame = internal::to_frame(message);
    internal::uninterrupted([&] { return socket_.send(zmq::buffer(frame)); });
  }

  Result<void> take_all() {
    zmq::message_t frame;
    while (internal::uninterrupted([&] { return socket_.recv(frame, zmq::recv_flags::dontwait); })) {
      PLUMB_ASSIGN(const json message, internal::from_frame(frame.to_string_view()));
      PLUMB_TRY(take(message));
    }
    return {};
  }

  Result<void> take(const json& message) {
    const std::string kind = message.at("kind");
    if (kind == "weights") {
      return take_weights(message.at("path"));
    }
    if (kind == "generate") {
      PLUMB_ASSIGN(job_, internal::read_generate_message(message));
      stopped_ = false;  // what came before was for another job
    }
    stopped_ = stopped_ || kind == "stop";
    ended_ = ended_ || kind == "end";
    return {};
  }

  Result<void> take_weights(const std::string& path) {
    PLUMB_ASSIGN(WeightSet set, read_weight_set(path));
    const std::int64_t version = set.version;
    if (policy_ == nullptr) {
      PolicyOptions like;
      like.dtype = options_.dtype;
      like.pool = &pool_;
      like.exact = options_.exact;
      PLUMB_ASSIGN(policy_, Policy::create(config_, std::move(set.tensors), like));
      if (version > policy_->version()) {
        policy_->commit_update_as(version);
      }
      generator_.emplace(*policy_, tokenizer_, pool_);
    } else {
      adopt_weights(*policy_, set);  // reading has checked them
    }
    send({{"kind", "weights"}, {"version", version}});
    return {};
  }

  // Between two decode steps: new weights may land here.
  bool go_on(const GenerationProgress& progress) {
    if (fault_ = take_all(); !fault_) {
      return false;
    }
    if (const auto now = Clock::now(); now - reported_ >= kBetweenReports) {
      reported_ = now;
      report(progress);
    }
    return !stopped_ && !ended_ && learner_is_there();
  }

  void report(const GenerationProgress& progress) {
    send({{"kind", "progress"},
          {"job", job_->job},
          {"new_tokens", progress.new_tokens},
          {"preempted", progress.preempted}});
  }

  Result<void> generate() {
    if (policy_ == nullptr) {
      return Error{"the learner asked for completions before it sent weights"};
    }
    const auto groups = generator_->generate(
        job_->requests, job_->options, [this](const GenerationProgress& progress) { return go_on(progress); },
        [this](std::size_t index, const CompletionGroup& group) {
          send({{"kind", "group"},
                {"job", job_->job},
                {"index", index},
                {"completions", internal::completions_to_json(group.completions)}});
        });
    PLUMB_TRY(std::exchange(fault_, Result<void>()));
    if (groups) {
      send({{"kind", "done"}, {"job", job_->job}});
    } else {
      send({{"kind", "fault"}, {"job", job_->job}, {"text", groups.error().message}});
    }
    job_.reset();
    return {};
  }

  const ModelConfig& config_;
  const Tokenizer& tokenizer_;
  ThreadPool& pool_;
  const ActorProcessOptions& options_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::unique_ptr<Policy> policy_;
  std::optional<Generator> generator_;
  std::optional<internal::GenerateJob> job_;
  Result<void> fault_;
  Clock::time_point reported_;
  bool stopped_ = false;
  bool ended_ = false;
};

}  // namespace

Result<void> run_actor_process(const ModelConfig& config, const Tokenizer& tokenizer, ThreadPool& pool,
                               const ActorProcessOptions& options) {
  return ActorProcess(config, tokenizer, pool, options).run();
}

}  // namespace plumb
