#include "compiler_sandbox/launcher/root_tree.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "compiler_sandbox/launcher/failure.h"

namespace plumb {

namespace {

// Only the caller's own mount namespace sees it; the folder exists on every Linux.
constexpr const char* kRoot = "/tmp";

// In a user namespace, flags that the source mount carries are locked and must be repeated.
unsigned long locked_flags(const char* path) {
  struct statvfs info {};
  if (statvfs(path, &info) != 0) {
    return 0;
  }
  unsigned long flags = 0;
  if ((info.f_flag & ST_NOATIME) != 0) {
    flags |= MS_NOATIME;
  }
  if ((info.f_flag & ST_NODIRATIME) != 0) {
    flags |= MS_NODIRATIME;
  }
  if ((info.f_flag & ST_RELATIME) != 0) {
    flags |= MS_RELATIME;
  }
  if ((info.f_flag & ST_NOEXEC) != 0) {
    flags |= MS_NOEXEC;
  }
  return flags;
}

std::string bind(const std::string& source, const std::string& target, unsigned long flags) {
  if (mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return failure("bind " + source);
  }
  const unsigned long all = MS_BIND | MS_REMOUNT | MS_NOSUID | flags | locked_flags(target.c_str());
  return mount(nullptr, target.c_str(), nullptr, all, nullptr) == 0 ? "" : failure("restrict " + source);
}

std::string bind_folder(const std::string& source, const std::string& name) {
  const std::string target = kRoot + name;
  if (mkdir(target.c_str(), 0755) != 0) {
    return failure("mkdir " + name);
  }
  return bind(source, target, MS_RDONLY | MS_NODEV);
}

std::string bind_file(const std::string& path, unsigned long flags) {
  if (access(path.c_str(), F_OK) != 0) {
    return {};
  }
  const std::string target = kRoot + path;
  const int fd = open(target.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) {
    return failure("create " + path);
  }
  close(fd);
  return bind(path, target, flags);
}

// Where /bin, /lib, ... are links into /usr they become links, else read-only binds.
std::string add_system_folders() {
  if (std::string error = bind_folder("/usr", "/usr"); !error.empty()) {
    return error;
  }
  const std::string local = std::string(kRoot) + "/usr/local";
  if (access(local.c_str(), F_OK) == 0 &&
      mount("none", local.c_str(), "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k,mode=755") != 0) {
    return failure("hide /usr/local");
  }
  for (const char* path : {"/bin", "/sbin", "/lib", "/lib64"}) {
    char target[256];
    const ssize_t size = readlink(path, target, sizeof(target) - 1);
    if (size > 0) {
      target[size] = '\0';
      if (symlink(target, (std::string(kRoot) + path).c_str()) != 0) {
        return failure(std::string("link ") + path);
      }
    } else if (access(path, F_OK) == 0) {
      if (std::string error = bind_folder(path, path); !error.empty()) {
        return error;
      }
    }
  }
  return {};
}

std::string add_small_files() {
  for (const char* name : {"/dev", "/etc", "/proc", "/work"}) {
    if (mkdir((std::string(kRoot) + name).c_str(), 0755) != 0) {
      return failure(std::string("mkdir ") + name);
    }
  }
  if (symlink("work/tmp", (std::string(kRoot) + "/tmp").c_str()) != 0) {
    return failure("link /tmp");
  }
  // Nothing is mounted at /proc. A tool that does not start without its own name there finds it where a language file
  // puts it into its session's work folder; for all others the link leads nowhere.
  if (symlink("../work/.proc", (std::string(kRoot) + "/proc/self").c_str()) != 0) {
    return failure("link /proc/self");
  }
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/urandom"}) {
    if (std::string error = bind_file(device, MS_NOEXEC); !error.empty()) {
      return error;
    }
  }
  return bind_file("/etc/ld.so.cache", MS_RDONLY | MS_NODEV | MS_NOEXEC);
}

// A folder of a language's tools, with those above it made as far as they lack.
std::string bind_elsewhere(const std::string& path) {
  if (!path.starts_with('/') || access(path.c_str(), F_OK) != 0) {
    return {};
  }
  for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    if (mkdir((kRoot + path.substr(0, end)).c_str(), 0755) != 0 && errno != EEXIST) {
      return failure("mkdir " + path.substr(0, end));
    }
  }
  return bind_folder(path, path);
}

}  // namespace

std::string enter_root_tree(const std::string& cache_dir, const std::vector<std::string>& mounts) {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return failure("make mounts private");
  }
  // The cache folder may lie below the place that is about to be covered.
  const int cache = open(cache_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (cache < 0) {
    return failure("open " + cache_dir);
  }
  const std::string cache_path = "/proc/self/fd/" + std::to_string(cache);
  if (mount("plumb-root", kRoot, "tmpfs", MS_NOSUID, "size=1m,mode=755") != 0) {
    return failure("mount the root");
  }
  std::string error = add_system_folders();
  error = error.empty() ? add_small_files() : error;
  error = error.empty() ? bind_folder(cache_path, kCacheMount) : error;
  for (const std::string& path : mounts) {
    error = error.empty() ? bind_elsewhere(path) : error;
  }
  close(cache);
  if (!error.empty()) {
    return error;
  }
  if (mount(nullptr, kRoot, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, nullptr) != 0) {
    return failure("make the root read-only");
  }
  // pivot_root(".", ".") stacks the old root on the new one; detaching it leaves no place for it.
  if (chdir(kRoot) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
    return failure("pivot_root");
  }
  return {};
}

std::string mount_work_folder(int size_mib, unsigned uid, unsigned gid) {
  const std::string owner = "uid=" + std::to_string(uid) + ",gid=" + std::to_string(gid);
  const std::string options = "size=" + std::to_string(size_mib) + "m,nr_inodes=4096,mode=700," + owner;
  if (mount("work", kWorkMount, "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return failure("mount the work folder");
  }
  return {};
}

}  // namespace plumb
