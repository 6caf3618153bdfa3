#include "bench/sandbox/host_checks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <sstream>

#include "core/atomic_file.h"
#include "core/hash.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr const char* kSecret = "canary-of-the-judge-5d1c";
constexpr std::uint16_t kPort = 18999;  // the manifest's
constexpr std::string_view kAbstractName("\0sbx_canary", 11);
constexpr std::int64_t kMib = std::int64_t{1} << 20;
constexpr int kOtherProcesses = 32;  // of the judge and of the machine, beside the program's

bool is_number(const std::string& text) {
  return text.find_first_not_of("0123456789") == std::string::npos;
}

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    names.insert(entry->path());
  }
  return names;
}

int count_all_processes() {
  const auto names = names_in("/proc");
  return static_cast<int>(
      std::count_if(names.begin(), names.end(), [](const auto& name) { return is_number(fs::path(name).filename()); }));
}

std::int64_t available_memory() {
  const auto text = read_file("/proc/meminfo");
  std::istringstream lines(text ? *text : "");
  for (std::string word; lines >> word;) {
    if (word == "MemAvailable:") {
      std::int64_t kib = 0;
      lines >> kib;
      return kib * 1024;
    }
  }
  return 0;
}

std::string shared_objects() {
  std::string all;
  for (const char* kind : {"shm", "sem", "msg"}) {
    const auto text = read_file(std::string("/proc/sysvipc/") + kind);
    std::istringstream lines(text ? *text : "");
    std::string line;
    while (std::getline(lines, line)) {
      std::string id;
      std::istringstream words(line);
      words >> id >> id;  // the key, then the number that names it
      all += kind + (" " + id) + "\n";
    }
  }
  for (const std::string& queue : names_in("/dev/mqueue")) {
    all += queue + "\n";
  }
  return all;
}

std::map<std::string, std::string> sums_of(const std::set<std::string>& files) {
  std::map<std::string, std::string> sums;
  for (const std::string& file : files) {
    const auto sum = sha256_file(file);
    sums[file] = sum ? *sum : "absent";
  }
  return sums;
}

std::chrono::nanoseconds clock_offset() {
  return std::chrono::system_clock::now().time_since_epoch() - std::chrono::steady_clock::now().time_since_epoch();
}

template <typename Address>
Result<UniqueFd> listener(const Address& address, socklen_t size, const std::string& name) {
  UniqueFd file(socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!file.valid() || bind(file.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(file.get(), 4) != 0) {
    return Error{"the canary's listener at " + name + " cannot be set up: another run, or another program, is there"};
  }
  return file;
}

Result<UniqueFd> abstract_listener() {
  sockaddr_storage address{};
  auto& unix_address = reinterpret_cast<sockaddr_un&>(address);
  unix_address.sun_family = AF_UNIX;
  std::copy(kAbstractName.begin(), kAbstractName.end(), unix_address.sun_path);
  return listener(address, static_cast<socklen_t>(sizeof(sa_family_t) + kAbstractName.size()), "@sbx_canary");
}

Result<UniqueFd> tcp_listener() {
  sockaddr_storage address{};
  auto& inet = reinterpret_cast<sockaddr_in&>(address);
  inet.sin_family = AF_INET;
  inet.sin_port = htons(kPort);
  inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return listener(address, sizeof(sockaddr_in), "127.0.0.1:" + std::to_string(kPort));
}

// Whether `holds` within `most`, asked again and again.
bool becomes(const std::function<bool()>& holds, milliseconds most) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

std::string new_one(const std::set<std::string>& now, const std::set<std::string>& before) {
  const auto found = std::find_if(now.begin(), now.end(), [&](const auto& name) { return !before.contains(name); });
  return found == now.end() ? "" : *found;
}

}  // namespace

Result<std::unique_ptr<HostChecks>> HostChecks::begin() {
  std::unique_ptr<HostChecks> checks(new HostChecks);
  PLUMB_ASSIGN(checks->abstract_, abstract_listener());
  PLUMB_ASSIGN(checks->tcp_, tcp_listener());
  setenv("SBX_CANARY", kSecret, 1);
  for (const char* path : {"/run/sbx_canary", "/tmp/sbx_canary"}) {
    if (!fs::exists(path) && write_file_atomic(path, kSecret)) {  // /run is root's
      checks->canary_files_.insert(path);
    }
  }
  checks->counter_ = std::thread([raw = checks.get()] { raw->count_processes(); });
  return checks;
}

HostChecks::~HostChecks() {
  ends_ = true;
  if (counter_.joinable()) {
    counter_.join();
  }
  std::error_code ignored;
  for (const std::string& path : canary_files_) {
    fs::remove(path, ignored);
  }
}

void HostChecks::count_processes() {
  while (!ends_) {
    const int count = count_all_processes();
    int most = most_processes_;
    while (count > most && !most_processes_.compare_exchange_weak(most, count)) {
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
}

HostSnapshot HostChecks::snapshot() {
  HostSnapshot now;
  for (const char* folder : {"/tmp", "/var/tmp", "/dev/shm", "/run", "."}) {
    now.files.merge(names_in(folder));
  }
  now.shared_objects = shared_objects();
  std::set<std::string> watched = canary_files_;
  watched.insert({"/etc/passwd", "/etc/hosts", "/etc/ld.so.cache"});
  now.host_sums = sums_of(watched);
  struct statvfs disk {};
  if (statvfs("/tmp", &disk) == 0) {
    now.free_disk_bytes = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
    now.free_inodes = static_cast<std::int64_t>(disk.f_favail);
  }
  now.available_memory_bytes = available_memory();
  now.num_processes = count_all_processes();
  now.clock_offset = clock_offset();
  most_processes_ = now.num_processes;
  return now;
}

std::string HostChecks::complaint(const std::set<std::string>& names, const HostSnapshot& before, int max_processes) {
  const int most = most_processes_;
  if (names.contains("pid_count_bounded") && most > before.num_processes + max_processes + kOtherProcesses) {
    return std::to_string(most) + " processes at once, of " + std::to_string(before.num_processes) + " before it";
  }
  HostSnapshot now;
  const auto again = [&](const std::function<bool()>& holds) {
    return becomes(
        [&] {
          now = snapshot();
          return holds();
        },
        milliseconds(2000));
  };
  if (names.contains("no_file_outside") && !again([&] { return new_one(now.files, before.files).empty(); })) {
    return "a file is left: " + new_one(now.files, before.files);
  }
  if (names.contains("no_core_file")) {
    now = snapshot();
    const std::string path = new_one(now.files, before.files);
    if (fs::path(path).filename().string().starts_with("core")) {
      return "a core file is left: " + path;
    }
  }
  if (names.contains("no_ipc_left") && !again([&] { return now.shared_objects == before.shared_objects; })) {
    return "a shared object is left: " + now.shared_objects;
  }
  if (names.contains("host_file_unchanged") && snapshot().host_sums != before.host_sums) {
    return "a file of the host has changed";
  }
  if (names.contains("disk_free_same") && !again([&] {
        return now.free_disk_bytes > before.free_disk_bytes - 16 * kMib && now.free_inodes > before.free_inodes - 1000;
      })) {
    return "disk is not given back";
  }
  if (names.contains("mem_returned") &&
      !again([&] { return now.available_memory_bytes > before.available_memory_bytes - 64 * kMib; })) {
    return "memory is not given back";
  }
  const auto moved = std::chrono::abs(clock_offset() - before.clock_offset);
  return moved > milliseconds(500) ? "the clock was set" : "";
}

std::string HostChecks::leftover_process() {
  std::string left;
  const auto none = [&] {
    left.clear();
    for (const std::string& path : names_in("/proc")) {
      const auto cgroup = is_number(fs::path(path).filename()) ? read_file(path + "/cgroup") : Error{path};
      const auto name = cgroup ? read_file(path + "/comm") : Error{path};
      if (name && cgroup->find("plumb-sandbox-") != std::string::npos && *name != "plumb-sandbox\n") {
        left = path + " " + *name;
      }
    }
    return left.empty();
  };
  return becomes(none, milliseconds(1000)) ? "" : left;
}

bool HostChecks::was_reached() const {
  return accept(abstract_.get(), nullptr, nullptr) >= 0 || accept(tcp_.get(), nullptr, nullptr) >= 0;
}

bool HostChecks::holds_secret(const std::string& text) {
  return text.find(kSecret) != std::string::npos || text.find("root:x:") != std::string::npos;
}

}  // namespace plumb
