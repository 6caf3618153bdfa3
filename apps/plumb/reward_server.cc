// plumb reward-server: scores for other trainers over HTTP and JSON.

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "apps/plumb/interrupt.h"
#include "apps/plumb/reward_server_service.h"
#include "apps/plumb/subcommand.h"
#include "apps/plumb/tasks.h"

namespace plumb {
namespace {

struct ServerCommand {
  std::vector<std::string> config_files;
  std::vector<std::string> overrides;
  HttpOptions http;
  std::string messages;  // endpoint; empty: none
  RewardServiceOptions service;
  bool end_with_input = false;
};

Result<int> run_server(ServerCommand command) {
  Settings settings;
  Config config;
  settings.add_to(config);
  for (const std::string& file : command.config_files) {
    PLUMB_TRY(config.load_file(file));
  }
  for (const std::string& assignment : command.overrides) {
    PLUMB_TRY(config.set(assignment));
  }
  PLUMB_TRY(settings.reward.check());
  // From the environment, not the command line: that one is for everybody to read.
  const char* token = std::getenv("PLUMB_REWARD_TOKEN");
  command.http.token = token == nullptr ? "" : token;
  install_interrupt_handler();
  PLUMB_ASSIGN(const auto judge, start_judge(judge_options(settings.judge)));
  ScorerOptions scoring = scorer_options(settings.judge);
  scoring.reward = settings.reward;
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  command.service.threads = settings.judge.slots > 0 ? settings.judge.slots : cores;
  RewardService service(*judge, scoring, command.service);
  PLUMB_ASSIGN(const auto server, HttpServer::start(command.http, [&](const HttpRequest& request, HttpReply& reply) {
                 service.handle(request, reply);
               }));
  std::unique_ptr<MessageServer> messages;
  if (!command.messages.empty()) {
    MessageOptions options;
    options.endpoint = command.messages;
    options.token = command.http.token;
    PLUMB_ASSIGN(messages,
                 MessageServer::start(options, [&](MessageCall call, std::function<void(MessageAnswer)> answer) {
                   service.handle(std::move(call), std::move(answer));
                 }));
    std::printf("listening on %s\n", messages->endpoint().c_str());
  }
  std::printf("listening on http://%s:%d\n", command.http.address.c_str(), server->port());
  std::fflush(stdout);
  wait_for_interrupt(command.end_with_input);
  service.stop();
  return 0;
}

}  // namespace

void register_reward_server(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "reward-server", "Score completions for other trainers over HTTP; a token is read from PLUMB_REWARD_TOKEN");
  auto options = std::make_shared<ServerCommand>();
  command->add_option("--config", options->config_files, "TOML file; sections judge and reward count")->take_all();
  command->add_option("--set", options->overrides, "section.key=value; overrides the files")->take_all();
  command->add_option("--address", options->http.address, "IPv4 address; other than loopback needs a token");
  command->add_option("--port", options->http.port, "0: any free one")->check(CLI::Range(0, 65535));
  command->add_option("--messages", options->messages,
                      "also ZeroMQ here, e.g. tcp://127.0.0.1:8767 or ipc:///tmp/plumb (docs/reward.md)");
  command->add_option("--connections", options->http.max_connections, "at once; more are refused")
      ->check(CLI::Range(1, 10000));
  command->add_option("--queue", options->service.queue, "items waiting or judged at once; more are refused")
      ->check(CLI::Range(1, 1000000));
  command->add_option("--remembered-mib", options->service.remembered_mib, "of scores; the oldest go")
      ->check(CLI::Range(1, 1 << 20));
  command->add_flag("--end-with-input", options->end_with_input,
                    "end when standard input does: a server that does not outlive who started it");
  command->callback([options, &action] { action = [options] { return run_server(*options); }; });
}

}  // namespace plumb
