#include "reward/service/message_server.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>
#include <zmq.hpp>

#include "core/check.h"
#include "messages.pb.h"

namespace plumb {
namespace {

using messages::Reply;
using messages::Request;

bool is_local(const std::string& endpoint) {
  return endpoint.starts_with("ipc://") || endpoint.starts_with("inproc://") || endpoint.starts_with("tcp://127.") ||
         endpoint.starts_with("tcp://localhost:");
}

// Takes as long for any token.
bool same_token(const std::string& one, const std::string& other) {
  unsigned different = one.size() == other.size() ? 0 : 1;
  for (std::size_t i = 0; i < one.size(); ++i) {
    different |= static_cast<unsigned char>(one[i]) ^ static_cast<unsigned char>(other[i % (other.size() + 1)]);
  }
  return different == 0;
}

// Answers that were worked out and are to be sent, from any thread.
class Outbox {
 public:
  Outbox() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { PLUMB_CHECK(fd_ >= 0, "eventfd failed"); }
  ~Outbox() { close(fd_); }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  void put(std::string key, MessageAnswer answer) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.emplace_back(std::move(key), std::move(answer));
    }
    if (of_this_thread != this) {
      wake();
    }
  }
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof(one));
  }
  std::vector<std::pair<std::string, MessageAnswer>> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
  }
  void sleep_again() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof(count));
  }

  // The outbox that this thread empties itself, and need not be woken for.
  static thread_local const Outbox* of_this_thread;

 private:
  int fd_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, MessageAnswer>> waiting_;
};

thread_local const Outbox* Outbox::of_this_thread = nullptr;

// The last replies by key; the oldest go.
class Remembered {
 public:
  explicit Remembered(std::size_t capacity) : capacity_(capacity) {}

  [[nodiscard]] const std::string* find(const std::string& id) const {
    const auto found = replies_.find(id);
    return found == replies_.end() ? nullptr : &found->second;
  }
  void store(const std::string& id, std::string reply) {
    if (replies_.emplace(id, std::move(reply)).second) {
      order_.push_back(id);
    }
    if (order_.size() > capacity_) {
      replies_.erase(order_.front());
      order_.pop_front();
    }
  }

 private:
  std::size_t capacity_;
  std::unordered_map<std::string, std::string> replies_;
  std::deque<std::string> order_;
};

class Server final : public MessageServer {
 public:
  Server(const MessageOptions& options, MessageHandler handler)
      : options_(options),
        handler_(std::move(handler)),
        socket_(context_, zmq::socket_type::router),
        done_(options.remembered) {}
  ~Server() override {
    stop_ = true;
    outbox_->wake();
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Result<void> bind() {
    const int heartbeat_ms = static_cast<int>(options_.heartbeat_s * 1000);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::router_mandatory, true);  // so that an answer to nobody is seen, not lost in silence
    socket_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(options_.max_message_bytes));
    socket_.set(zmq::sockopt::sndhwm, options_.high_water);
    socket_.set(zmq::sockopt::rcvhwm, options_.high_water);
    socket_.set(zmq::sockopt::heartbeat_ivl, heartbeat_ms);
    socket_.set(zmq::sockopt::heartbeat_timeout, 3 * heartbeat_ms);
    try {
      socket_.bind(options_.endpoint);
    } catch (const zmq::error_t& error) {
      return Error{options_.endpoint + ": cannot be listened on: " + error.what() +
                   "; expected tcp://ADDRESS:PORT or ipc://PATH"};
    }
    endpoint_ = socket_.get(zmq::sockopt::last_endpoint);
    thread_ = std::thread([this] { run(); });
    return {};
  }

  [[nodiscard]] std::string endpoint() const override { return endpoint_; }

 private:
  void run() {
    Outbox::of_this_thread = outbox_.get();
    while (!stop_) {
      zmq::pollitem_t items[] = {{socket_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, outbox_->fd(), ZMQ_POLLIN, 0}};
      try {
        zmq::poll(items, 2, std::chrono::milliseconds(-1));
      } catch (const zmq::error_t&) {  // interrupted by a signal
        continue;
      }
      if ((items[1].revents & ZMQ_POLLIN) != 0) {
        outbox_->sleep_again();
      }
      send_answers();
      // A few at a time, so that answers do not wait behind a flood of questions.
      for (int count = 0; count < 64 && receive(); ++count) {
        send_answers();
      }
    }
  }

  void send_answers() {
    for (const auto& [key, answer] : outbox_->take()) {
      finish(key, answer);
    }
  }

  // False: there is nothing more.
  bool receive() {
    zmq::message_t peer;
    if (!socket_.recv(peer, zmq::recv_flags::dontwait)) {
      return false;
    }
    zmq::message_t body;
    bool more = peer.more();
    int parts = 1;
    while (more) {  // some clients put an empty frame in front, as REQ does
      zmq::message_t part;
      static_cast<void>(socket_.recv(part));
      more = part.more();
      ++parts;
      if (!more) {
        body = std::move(part);
      }
    }
    Request request;
    Reply reply;
    if (parts < 2 || parts > 3 || !request.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
      reply.set_status(Reply::INVALID);
      reply.set_error("not a plumb.messages.Request");
      send(peer.to_string(), parts == 3, reply.SerializeAsString());
      return true;
    }
    take(peer.to_string(), parts == 3, request);
    return true;
  }

  void take(const std::string& peer, bool delimited, const Request& request) {
    Reply reply;
    reply.set_id(request.id());
    if (!options_.token.empty() && !same_token(options_.token, request.token())) {
      reply.set_status(Reply::DENIED);
      reply.set_error("the token is missing or another");
    } else if (request.has_heartbeat()) {
      reply.set_status(Reply::OK);
      reply.set_queued(working_.size());
    } else if (request.id().empty() || request.id().size() > kLongestId || request.client().size() > kLongestId ||
               request.body_case() == Request::BODY_NOT_SET) {
      reply.set_status(Reply::INVALID);
      reply.set_error(
          "expected an id of 1 to 256 bytes, a client of at most 256, and heartbeat, score, verify_math or judge");
    } else {
      begin(peer, delimited, request);
      return;
    }
    send(peer, delimited, reply.SerializeAsString());
  }

  void begin(const std::string& peer, bool delimited, const Request& request) {
    const std::string key = (request.client().empty() ? peer : request.client()) + '\n' + request.id();
    if (const std::string* known = done_.find(key)) {
      if (request.again()) {
        send(peer, delimited, *known);
      }
      return;
    }
    const auto [place, fresh] = working_.insert_or_assign(key, Sender{peer, delimited, request.id()});  // the newest
    if (!fresh) {
      return;
    }
    MessageCall call;
    call.kind = request.has_score()         ? MessageCall::Kind::kScore
                : request.has_verify_math() ? MessageCall::Kind::kVerifyMath
                                            : MessageCall::Kind::kJudge;
    call.json = request.has_score()         ? request.score()
                : request.has_verify_math() ? request.verify_math()
                                            : request.judge();
    handler_(std::move(call), [outbox = outbox_, key](MessageAnswer answer) { outbox->put(key, std::move(answer)); });
  }

  void finish(const std::string& key, const MessageAnswer& answer) {
    const auto place = working_.find(key);
    const Sender sender = place->second;
    working_.erase(place);
    Reply reply;
    reply.set_id(sender.id);
    switch (answer.status) {
      case MessageAnswer::Status::kOk:
        reply.set_status(Reply::OK);
        reply.set_json(answer.text);
        break;
      case MessageAnswer::Status::kInvalid:
        reply.set_status(Reply::INVALID);
        reply.set_error(answer.text);
        break;
      case MessageAnswer::Status::kBusy:
        reply.set_status(Reply::BUSY);
        reply.set_error(answer.text);
        break;
    }
    std::string bytes = reply.SerializeAsString();
    send(sender.peer, sender.delimited, bytes);
    if (answer.status != MessageAnswer::Status::kBusy) {
      done_.store(key, std::move(bytes));
    }
  }

  void send(const std::string& peer, bool delimited, const std::string& bytes) {
    try {
      if (!socket_.send(zmq::buffer(peer), zmq::send_flags::sndmore | zmq::send_flags::dontwait)) {
        return;  // it does not read
      }
      if (delimited) {
        socket_.send(zmq::message_t(), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
      }
      socket_.send(zmq::buffer(bytes), zmq::send_flags::dontwait);
    } catch (const zmq::error_t&) {
      // It has gone: the answer stays remembered.
    }
  }

  static constexpr std::size_t kLongestId = 256;
  struct Sender {
    std::string peer;
    bool delimited = false;
    std::string id;
  };

  MessageOptions options_;
  MessageHandler handler_;
  zmq::context_t context_{1};
  zmq::socket_t socket_;  // of thread_, once it runs
  std::string endpoint_;
  std::unordered_map<std::string, Sender> working_;
  Remembered done_;
  std::shared_ptr<Outbox> outbox_ = std::make_shared<Outbox>();  // answers may come when this has gone
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<MessageServer>> MessageServer::start(const MessageOptions& options, MessageHandler handler) {
  if (!is_local(options.endpoint) && options.token.empty()) {
    return Error{options.endpoint +
                 " can be reached from other machines: give a token, or use tcp://127.0.0.1:PORT or ipc://PATH"};
  }
  auto server = std::make_unique<Server>(options, std::move(handler));
  PLUMB_TRY(server->bind());
  return std::unique_ptr<MessageServer>(std::move(server));
}

}  // namespace plumb
