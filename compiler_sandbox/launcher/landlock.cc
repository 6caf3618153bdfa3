#include "compiler_sandbox/launcher/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "compiler_sandbox/launcher/failure.h"
#include "compiler_sandbox/unique_fd.h"

namespace plumb {

namespace {

// The kernel's numbers of what Debian 12's header does not know yet (include/uapi/linux/landlock.h).
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;     // version 3
constexpr std::uint64_t kIoctlDevice = std::uint64_t{1} << 15;  // 5
constexpr std::uint64_t kBindTcp = 1;                           // 4
constexpr std::uint64_t kConnectTcp = 2;
constexpr std::uint64_t kScopeAbstractSocket = 1;  // 6
constexpr std::uint64_t kScopeSignal = 2;

// struct landlock_ruleset_attr as of version 6; an older kernel takes it where what it does not know is 0.
struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t net;
  std::uint64_t scoped;
};

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kDevice =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate | kIoctlDevice;
constexpr std::uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
constexpr std::uint64_t kNowhere =
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SOCK;
// What a rule about a file, not a folder, may hold.
constexpr std::uint64_t kOfFiles = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                   LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate | kIoctlDevice;

// Every right that a version of the kernel can take away.
std::uint64_t handled_files(int version) {
  std::uint64_t rights = LANDLOCK_ACCESS_FS_REFER - 1;
  rights |= LANDLOCK_ACCESS_FS_REFER;  // version 2
  rights |= version >= 3 ? kTruncate : 0;
  rights |= version >= 5 ? kIoctlDevice : 0;
  return rights;
}

class Ruleset {
 public:
  explicit Ruleset(int version) : handled_(handled_files(version)) {
    const RulesetAttributes attributes{.files = handled_,
                                       .net = version >= 4 ? kBindTcp | kConnectTcp : 0,
                                       .scoped = version >= 6 ? kScopeAbstractSocket | kScopeSignal : 0};
    fd_ = UniqueFd(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0U)));
  }

  bool allow(const std::string& path, std::uint64_t rights) const {
    UniqueFd parent(open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!parent.valid()) {
      return errno == ENOENT;
    }
    struct stat info {};
    if (fstat(parent.get(), &info) != 0) {
      return false;
    }
    const std::uint64_t fitting = S_ISDIR(info.st_mode) ? rights : rights & kOfFiles;
    landlock_path_beneath_attr rule{};
    rule.allowed_access = fitting & handled_;
    rule.parent_fd = parent.get();
    return syscall(SYS_landlock_add_rule, fd_.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) == 0;
  }
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] bool enter() const {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, fd_.get(), 0U) == 0;
  }

 private:
  std::uint64_t handled_;
  UniqueFd fd_;
};

}  // namespace

int landlock_version() {
  const long version =
      syscall(SYS_landlock_create_ruleset, nullptr, std::size_t{0}, std::uint32_t{LANDLOCK_CREATE_RULESET_VERSION});
  // The first version forbids every rename and link between folders, which programs do.
  return version >= 2 ? static_cast<int>(version) : 0;
}

std::string enter_landlock(const std::vector<std::string>& readable, const std::string& work_folder) {
  const int version = landlock_version();
  if (version == 0) {
    return {};
  }
  const Ruleset rules(version);
  if (!rules.valid()) {
    return failure("landlock, rules");
  }
  for (const std::string& path : readable) {
    if (!rules.allow(path, kRead)) {
      return failure(std::string("landlock, ") + path);
    }
  }
  for (const auto& [device, rights] :
       {std::pair{"/dev/null", kDevice}, {"/dev/zero", kDevice}, {"/dev/urandom", kDevice & ~kWrite}}) {
    if (!rules.allow(device, rights)) {
      return failure(std::string("landlock, ") + device);
    }
  }
  if (!rules.allow(work_folder, ~kNowhere)) {
    return failure(std::string("landlock, ") + work_folder);
  }
  return rules.enter() ? std::string() : failure("landlock, enter");
}

}  // namespace plumb
