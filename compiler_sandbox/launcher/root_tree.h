#pragma once
// The file tree that candidates see: the tool chain read-only, a few devices, nothing else of the host.

#include <string>
#include <vector>

namespace plumb {

constexpr const char* kCacheMount = "/cache";  // the judge's cache folder, read-only
constexpr const char* kWorkMount = "/work";    // a fresh tmpfs in every session; /tmp links into it

/// Builds the tree and makes it the caller's root; the host's tree is detached. The caller must be in a mount
/// namespace of its own. `mounts` are folders that appear under their own names, read-only; absent ones do not.
/// Returns an empty text, or what failed.
std::string enter_root_tree(const std::string& cache_dir, const std::vector<std::string>& mounts);

/// Mounts this session's private work folder, owned by `uid` and `gid` of the caller's user namespace.
std::string mount_work_folder(int size_mib, unsigned uid, unsigned gid);

}  // namespace plumb
