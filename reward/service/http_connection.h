#pragma once
// One client's connection: requests in, replies out, all against deadlines.

#include <atomic>
#include <string>

#include "reward/service/http_server.h"

namespace plumb {

/// Serves requests on the connected socket `fd` until the client is done, breaks a limit, or `stop` turns true. The
/// caller closes `fd`.
void serve_connection(int fd, const HttpOptions& options, const HttpHandler& handler, const std::atomic<bool>& stop);

/// Writes a whole reply with "Connection: close", waiting write_s at most.
void refuse_connection(int fd, const HttpOptions& options, int status, std::string_view sentence);

}  // namespace plumb
