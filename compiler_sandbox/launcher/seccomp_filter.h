#pragma once
// The system calls that a judged program, a compiler or an interpreter may make.

#include <linux/filter.h>

#include <vector>

namespace plumb {

/// Deny by default: what is not listed answers EPERM, clone3 answers ENOSYS (so that libc falls back to clone, whose
/// flags can be looked at), and calls through the x32 and i386 tables kill the process. Empty where the filter cannot
/// be built.
std::vector<sock_filter> build_seccomp_filter();

}  // namespace plumb
