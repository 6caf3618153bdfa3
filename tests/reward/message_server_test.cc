#include "reward/service/message_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "messages.pb.h"

namespace plumb {
namespace {

using messages::Reply;
using messages::Request;
using Status = MessageAnswer::Status;

// A DEALER: asks, and takes what comes.
class Client {
 public:
  explicit Client(const std::string& endpoint, zmq::socket_type type = zmq::socket_type::dealer)
      : socket_(context_, type) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 10000);
    socket_.connect(endpoint);
  }

  void ask(const Request& request) { send(request.SerializeAsString()); }
  void send(const std::string& bytes) { socket_.send(zmq::buffer(bytes)); }
  Reply take() {
    zmq::message_t message;
    Reply reply;
    EXPECT_TRUE(socket_.recv(message)) << "no answer in time";
    EXPECT_TRUE(reply.ParseFromArray(message.data(), static_cast<int>(message.size())));
    return reply;
  }
  // Whatever was asked before is answered once a heartbeat is.
  bool nothing_waits() {
    Request beat;
    beat.set_id("beat");
    beat.mutable_heartbeat();
    ask(beat);
    return take().id() == "beat";
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

Request score(const std::string& id, const std::string& json) {
  Request request;
  request.set_id(id);
  request.set_score(json);
  return request;
}

// Answers "echo" at once; keeps "hold..." until release().
class Handler {
 public:
  void operator()(MessageCall call, std::function<void(MessageAnswer)> answer) {
    ++calls;
    if (call.json.starts_with("hold")) {
      const std::lock_guard lock(mutex_);
      held_.emplace_back(call.json, std::move(answer));
    } else if (call.json == "full") {
      answer({Status::kBusy, "the queue is full"});
    } else if (call.json == "bad") {
      answer({Status::kInvalid, "cannot be read"});
    } else {
      answer({Status::kOk, "[" + call.json + "]"});
    }
  }
  // From another thread than the server's.
  void release() {
    const std::lock_guard lock(mutex_);
    for (auto& [json, answer] : held_) {
      answer({Status::kOk, "[" + json + "]"});
    }
    held_.clear();
  }
  void wait_for_calls(int count) const {
    while (calls < count) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::atomic<int> calls = 0;

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::function<void(MessageAnswer)>>> held_;
};

class Messages : public ::testing::Test {
 protected:
  std::unique_ptr<MessageServer> start(MessageOptions options = {}) {
    auto server = MessageServer::start(options, [this](MessageCall call, std::function<void(MessageAnswer)> answer) {
      handler_(std::move(call), std::move(answer));
    });
    EXPECT_TRUE(server) << (server ? "" : server.error().message);
    return std::move(*server);
  }

  Handler handler_;
};

TEST_F(Messages, EachGetsItsOwnAnswersAsTheyFinish) {
  const auto server = start();
  Client one(server->endpoint());
  Client other(server->endpoint());
  one.ask(score("1", "hold one"));
  other.ask(score("1", "other"));  // an id is of its client
  EXPECT_EQ(other.take().json(), "[other]");
  one.ask(score("2", "quick"));
  EXPECT_EQ(one.take().id(), "2");
  handler_.release();
  const Reply late = one.take();
  EXPECT_EQ(late.id(), "1");
  EXPECT_EQ(late.json(), "[hold one]");
  EXPECT_EQ(late.status(), Reply::OK);
}

TEST_F(Messages, AnIdIsWorkedOnOnceAndAnsweredOnce) {
  const auto server = start();
  Client client(server->endpoint());
  for (int i = 0; i < 5; ++i) {
    client.ask(score("same", "hold"));
  }
  handler_.wait_for_calls(1);
  EXPECT_TRUE(client.nothing_waits());
  handler_.release();
  EXPECT_EQ(client.take().json(), "[hold]");
  for (int i = 0; i < 5; ++i) {
    client.ask(score("same", "another question under the same id"));
  }
  EXPECT_TRUE(client.nothing_waits());
  EXPECT_EQ(handler_.calls, 1);
  Request again = score("same", "hold");
  again.set_again(true);
  client.ask(again);
  EXPECT_EQ(client.take().json(), "[hold]");
  EXPECT_EQ(handler_.calls, 1);
}

TEST_F(Messages, AClientThatReconnectsGetsWhatItAskedFor) {
  const auto server = start();
  Request request = score("7", "hold");
  request.set_client("trainer 3");
  {
    Client before(server->endpoint());
    before.ask(request);
    handler_.wait_for_calls(1);
  }
  Client after(server->endpoint());
  after.ask(request);
  EXPECT_TRUE(after.nothing_waits());
  handler_.release();
  EXPECT_EQ(after.take().json(), "[hold]") << "the newest connection gets it";
  {
    Client third(server->endpoint());
    request.set_again(true);
    third.ask(request);
    EXPECT_EQ(third.take().json(), "[hold]");
  }
  EXPECT_EQ(handler_.calls, 1);
}

TEST_F(Messages, AFullQueueIsSaidAndNotRemembered) {
  const auto server = start();
  Client client(server->endpoint());
  client.ask(score("1", "full"));
  EXPECT_EQ(client.take().status(), Reply::BUSY);
  client.ask(score("1", "now"));
  EXPECT_EQ(client.take().json(), "[now]");
  client.ask(score("2", "bad"));
  const Reply bad = client.take();
  EXPECT_EQ(bad.status(), Reply::INVALID);
  EXPECT_EQ(bad.error(), "cannot be read");
}

TEST_F(Messages, AHeartbeatSaysHowMuchWaits) {
  const auto server = start();
  Client client(server->endpoint());
  for (int i = 0; i < 3; ++i) {
    client.ask(score(std::to_string(i), "hold"));
  }
  Request beat;
  beat.mutable_heartbeat();
  client.ask(beat);
  EXPECT_EQ(client.take().queued(), 3U);
  handler_.release();
}

TEST_F(Messages, WhatCannotBeReadIsRefusedAndHarmsNobody) {
  MessageOptions options;
  options.max_message_bytes = 1000;
  const auto server = start(options);
  Client client(server->endpoint());
  client.send("\xff\xff\xff no protobuf");
  EXPECT_EQ(client.take().status(), Reply::INVALID);
  client.send("");
  EXPECT_EQ(client.take().status(), Reply::INVALID);
  client.ask(score("", "no id"));
  EXPECT_EQ(client.take().status(), Reply::INVALID);
  client.ask(score(std::string(257, 'x'), "a long id"));
  EXPECT_EQ(client.take().status(), Reply::INVALID);
  Client huge(server->endpoint());
  huge.ask(score("1", std::string(2000, 'x')));  // its connection is closed
  client.ask(score("1", "fine"));
  EXPECT_EQ(client.take().json(), "[fine]");
  EXPECT_EQ(handler_.calls, 1);
}

TEST_F(Messages, AReqSocketWillDo) {
  const auto server = start();
  Client client(server->endpoint(), zmq::socket_type::req);
  client.ask(score("1", "a"));
  EXPECT_EQ(client.take().json(), "[a]");
  client.ask(score("2", "b"));
  EXPECT_EQ(client.take().json(), "[b]");
}

TEST_F(Messages, OldAnswersAreForgotten) {
  MessageOptions options;
  options.remembered = 2;
  const auto server = start(options);
  Client client(server->endpoint());
  for (const char* id : {"1", "2", "3"}) {
    client.ask(score(id, id));
    client.take();
  }
  client.ask(score("1", "new"));
  EXPECT_EQ(client.take().json(), "[new]");
}

TEST_F(Messages, OtherMachinesNeedAToken) {
  const auto start_at = [](const std::string& endpoint) {
    MessageOptions options;
    options.endpoint = endpoint;
    return MessageServer::start(options, [](const auto&, const auto&) {});
  };
  const auto refused = start_at("tcp://0.0.0.0:*");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("token"), std::string::npos);
  EXPECT_FALSE(start_at("tcp://127.0.0.1:no port"));
  MessageOptions options;
  options.token = "secret";
  const auto server = start(options);
  Client client(server->endpoint());
  for (const char* wrong : {"", "secre", "secret2", "Secret"}) {
    Request request = score("1", "a");
    request.set_token(wrong);
    client.ask(request);
    EXPECT_EQ(client.take().status(), Reply::DENIED) << wrong;
  }
  Request request = score("1", "a");
  request.set_token("secret");
  client.ask(request);
  EXPECT_EQ(client.take().json(), "[a]");
}

TEST_F(Messages, AnAnswerAfterTheServersEndIsLost) {
  {
    const auto server = start();
    Client client(server->endpoint());
    client.ask(score("1", "hold"));
    handler_.wait_for_calls(1);
  }
  handler_.release();
}

TEST_F(Messages, AClientThatDoesNotReadStopsNobody) {
  MessageOptions options;
  options.high_water = 10;
  const auto server = start(options);
  Client deaf(server->endpoint());
  for (int i = 0; i < 3000; ++i) {
    deaf.ask(score(std::to_string(i), std::string(10000, 'x')));
  }
  Client client(server->endpoint());
  client.ask(score("1", "fine"));
  EXPECT_EQ(client.take().json(), "[fine]");
}

}  // namespace
}  // namespace plumb
