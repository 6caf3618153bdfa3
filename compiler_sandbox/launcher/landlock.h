#pragma once
// Landlock, the kernel's own second wall: even where a mount or a permission would let a program through, it reads and
// executes what its slot names, writes below its work folder and to two devices, and nothing else; it reaches no TCP
// port, no abstract socket and no process that is not its own. Kernels have it in versions; what one lacks the other
// layers still hold.

#include <string>
#include <vector>

namespace plumb {

/// The kernel's version of Landlock (its ABI), from 2 on; 0: none, or switched off.
int landlock_version();

/// Closes this process in, and all that it starts from now on, for good: reading and executing below `readable`, every
/// right below `work_folder` but making devices and sockets. Sets no_new_privs. Paths that do not exist are left out.
/// Empty, or what failed; where the kernel has no Landlock nothing happens.
std::string enter_landlock(const std::vector<std::string>& readable, const std::string& work_folder);

}  // namespace plumb
