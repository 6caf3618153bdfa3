// The one binary: understands the command line, runs what it asked for, and says what went wrong in one sentence.
// Start reading at the subcommand of interest: apps/plumb/<name>.cc.

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "apps/plumb/command_line.h"

namespace {

int report(const std::string& sentence) {
  std::fflush(stdout);
  std::fprintf(stderr, "plumb: %s\n", sentence.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  // A file that may not grow further (ulimit -f) is then an error of its write, told and survived as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const plumb::CommandLine line = plumb::parse_command_line(argc, argv);
    if (!line.action) {
      return line.exit_status;
    }
    const plumb::Result<int> status = line.action();
    return status ? *status : report(status.error().message);
  } catch (const std::bad_alloc&) {
    return report("out of memory; choose smaller batches or a smaller model");
  } catch (const std::exception& error) {
    return report(std::string("internal error: ") + error.what());
  }
}
