#include "compiler_sandbox/running_step.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace plumb {

namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kPiece = 65536;
constexpr double kGraceSeconds = 20;  // so long after it should have killed the step, the launcher is taken for dead

// Whether an interrupted or not yet possible transfer is the whole reason for `moved` <= 0.
bool only_later(ssize_t moved) {
  return moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

// A pipe whose reader does not block.
bool open_pipe(UniqueFd& reader, UniqueFd& writer) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return false;
  }
  reader = UniqueFd(ends[0]);
  writer = UniqueFd(ends[1]);
  return fcntl(reader.get(), F_SETFL, O_NONBLOCK) == 0;
}

Error no_descriptors() {
  return Error{std::string("cannot make a channel to a program: ") + std::strerror(errno)};
}

}  // namespace

Result<void> RunningStep::start(const Step& step) {
  UniqueFd output_end;
  UniqueFd errors_end;
  if (!open_pipe(output_.pipe, output_end) || (streams_.errors_apart && !open_pipe(errors_.pipe, errors_end))) {
    return no_descriptors();
  }
  UniqueFd channel_end;
  std::vector<int> fds{streams_.output >= 0 ? streams_.output : output_end.get(),
                       streams_.errors_apart ? errors_end.get() : output_end.get()};
  std::vector<int> targets{1, 2};
  if (streams_.input >= 0) {
    fds.push_back(streams_.input);
    targets.push_back(0);
  }
  if (streams_.channel) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      return no_descriptors();
    }
    channel_ = UniqueFd(pair[0]);
    channel_end = UniqueFd(pair[1]);
    fds.push_back(channel_end.get());
    targets.push_back(3);
    fcntl(channel_.get(), F_SETFL, O_NONBLOCK);
  }
  start_ = steady_clock::now();
  deadline_ =
      start_ + std::chrono::duration_cast<milliseconds>(duration<double>(kWallPatience * step.wall_s + kGraceSeconds));
  return worker_.start_step(step, fds, targets);
}

double RunningStep::seconds() const {
  return duration<double>(steady_clock::now() - start_).count();
}

void RunningStep::wait() {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - steady_clock::now()).count();
  if (left <= 0) {
    StepReport silent;
    silent.reason = "fault";
    silent.fault = "the sandbox launcher does not answer";
    end_with(silent);
    return;
  }
  wait_at_most(static_cast<int>(std::min<std::int64_t>(left, 1000)));
}

void RunningStep::wait_at_most(int milliseconds) {
  if (over_) {
    return;
  }
  // Negative descriptors are ignored by poll.
  const auto channel_events = static_cast<short>(POLLIN | (to_send_.empty() ? 0 : POLLOUT));
  pollfd sources[4] = {{channel_closed_ ? -1 : channel_.get(), channel_events, 0},
                       {output_.pipe.get(), POLLIN, 0},
                       {errors_.pipe.get(), POLLIN, 0},
                       {worker_.socket(), POLLIN, 0}};
  if (poll(sources, 4, milliseconds) <= 0) {
    return;
  }
  if ((sources[0].revents & POLLOUT) != 0) {
    write_channel();
  }
  if ((sources[0].revents & ~POLLOUT) != 0) {
    read_channel();
  }
  if (sources[1].revents != 0) {
    read_output(output_);
  }
  if (sources[2].revents != 0) {
    read_output(errors_);
  }
  if (sources[3].revents != 0) {
    if (auto report = worker_.read_report()) {
      end_with(std::move(*report));
    }
  }
}

const StepReport& RunningStep::finish() {
  if (!over_) {
    end_with(worker_.end());
  }
  return report_;
}

void RunningStep::end_with(StepReport report) {
  over_ = true;
  report_ = std::move(report);
  report_.asleep &= its_turn_ || !streams_.waits_for_others;
  // What was written before the end still counts. A process that outlived the step holds nothing up: one look.
  if (!channel_closed_ && channel_.valid()) {
    read_channel();
  }
  read_rest(output_);
  read_rest(errors_);
}

void RunningStep::read_rest(Stream& stream) {
  for (std::size_t before = printed_ + 1; stream.pipe.valid() && !output_exceeded() && printed_ != before;) {
    before = printed_;
    read_output(stream);
  }
}

void RunningStep::read_channel() {
  char piece[kPiece];
  const ssize_t size = read(channel_.get(), piece, sizeof(piece));
  received_.append(piece, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  channel_closed_ = size <= 0 && !only_later(size);
}

void RunningStep::write_channel() {
  const ssize_t size = ::send(channel_.get(), to_send_.data(), to_send_.size(), MSG_NOSIGNAL);
  if (size > 0) {
    to_send_.erase(0, static_cast<std::size_t>(size));
  } else if (!only_later(size)) {
    to_send_.clear();  // the program is gone; reading finds that out
  }
}

void RunningStep::read_output(Stream& stream) {
  char piece[kPiece];
  const ssize_t size = read(stream.pipe.get(), piece, sizeof(piece));
  if (size > 0) {
    printed_ += static_cast<std::size_t>(size);
    const std::size_t room = streams_.output_kept - std::min(streams_.output_kept, stream.text.size());
    stream.text.append(piece, std::min(room, static_cast<std::size_t>(size)));
  } else if (!only_later(size)) {
    stream.pipe.reset();
  }
}

}  // namespace plumb
