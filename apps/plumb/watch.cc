// plumb watch: the report of a run that is still going, served on loopback and drawn anew as the run goes on.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "apps/plumb/interrupt.h"
#include "apps/plumb/subcommand.h"
#include "core/escape.h"
#include "eval/report/report.h"
#include "reward/service/http_server.h"

namespace plumb {
namespace {

struct WatchCommand {
  std::string run;
  int port = 0;
  int every_s = 5;
};

// The page, rendered again only where the run's files have changed.
class LivePage {
 public:
  LivePage(std::string run, int every_s) : run_(std::move(run)), every_s_(every_s) {}

  // Errors: the folder is gone, or a file of it is damaged.
  Result<std::string> html() {
    const std::lock_guard lock(mutex_);
    const std::string state = state_of_files();
    if (rendered_ != state) {
      PLUMB_ASSIGN(const RunData run, load_run(run_));
      page_ = with_refresh(render_report(run));
      rendered_ = state;
    }
    return page_;
  }

 private:
  // Sizes and times of all that the report is made of.
  [[nodiscard]] std::string state_of_files() const {
    std::string state;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(run_, ignored)) {
      if (entry.path().extension() == ".jsonl" || entry.path().extension() == ".json") {
        state += fmt::format("{} {} {}\n", entry.path().string(), entry.file_size(ignored),
                             entry.last_write_time(ignored).time_since_epoch().count());
      }
    }
    return state;
  }

  // The browser asks again by itself: the page holds no script.
  [[nodiscard]] std::string with_refresh(std::string page) const {
    const std::size_t head = page.find("</head>");
    return head == std::string::npos
               ? page
               : page.insert(head, fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">", every_s_));
  }

  std::string run_;
  int every_s_;
  std::mutex mutex_;
  std::optional<std::string> rendered_;  // the state that page_ shows
  std::string page_;
};

// A page of another site can make a browser ask us under that site's own name, and would read the answer: only our own
// names are served.
bool is_own_name(const std::string& host) {
  const std::string name = host.substr(0, host.rfind(':'));
  return name == "127.0.0.1" || name == "localhost";
}

void answer(LivePage& page, const HttpRequest& request, HttpReply& reply) {
  constexpr const char* kText = "text/plain; charset=utf-8";
  if (!is_own_name(request.host)) {
    reply.send(403, "expected the Host header to name 127.0.0.1 or localhost\n", kText);
  } else if (request.method != "GET" || request.target != "/") {
    reply.send(404, "expected GET /\n", kText);
  } else if (const auto html = page.html()) {
    reply.send(200, *html, "text/html; charset=utf-8");
  } else {
    reply.send(500, to_utf8(html.error().message) + "\n", kText);
  }
}

Result<int> run_watch(const WatchCommand& command) {
  install_interrupt_handler();
  LivePage page(command.run, command.every_s);
  PLUMB_TRY(page.html());
  HttpOptions http;
  http.port = command.port;
  PLUMB_ASSIGN(const auto server, HttpServer::start(http, [&](const HttpRequest& request, HttpReply& reply) {
                 answer(page, request, reply);
               }));
  std::printf("watching %s at http://127.0.0.1:%d (Ctrl-C ends it)\n", command.run.c_str(), server->port());
  std::fflush(stdout);
  wait_for_interrupt();
  return 0;
}

}  // namespace

void register_watch(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("watch", "Serve the report of a run on loopback while the run goes on");
  auto options = std::make_shared<WatchCommand>();
  command->add_option("RUN", options->run, "the run folder")->required();
  command->add_option("--port", options->port, "0: any free one")->check(CLI::Range(0, 65535));
  command->add_option("--every", options->every_s, "seconds between two looks of the browser")
      ->check(CLI::Range(1, 3600));
  command->callback([options, &action] { action = [options] { return run_watch(*options); }; });
}

}  // namespace plumb
