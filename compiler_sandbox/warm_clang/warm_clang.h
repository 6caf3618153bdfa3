#pragma once
// A C++ compiler that has read the standard library already. It is clang 16 as a library, in a shared object of its
// own, so that what does not compile C++ carries none of it.
//
// Theory of operation. Most of the time that a compiler takes for a candidate of 40 lines goes into what every
// candidate has in common: reading <bits/stdc++.h>, and making code of templates with the same arguments
// (std::vector<int>, std::map<std::string, int>, ...; common_uses.cc) again and again. Both are done once here:
//   - when plumb is built, the code of all these instances is compiled into one object file (emit_instances.cc), with
//     the flags that candidates are compiled with;
//   - in the sandbox a process reads the library and makes the same instances, without code. For each candidate a copy
//     of it (fork) reads on where the library ended, marks the instances as being defined elsewhere, as
//     `extern template` would, and writes the candidate's object, which is linked with the instances' one.
// Instances small enough to be worth inlining keep their bodies in candidates as well.
//
// What it cannot compile, for whatever reason, the same process gives to the ordinary compiler by executing it: so
// diagnostics are that one's own, and no candidate is refused by this one. plumb's linkage is C: the launcher loads it
// by name.

#define PLUMB_CLANG_API __attribute__((visibility("default")))

extern "C" {

/// Reads the library as `argv`, the ordinary compiler's command line without its precompiled header, says. Called once
/// a process, before it has threads. 0; -1 where the arguments or the library cannot be read, or where the instances
/// are others than `instances` names (what plumb_clang_instances() said; null: whatever they are). `sizes` is the file
/// that plumb_clang_emit_instances() wrote; null for its own process.
PLUMB_CLANG_API int plumb_clang_load(int argc, const char* const* argv, const char* instances, const char* sizes);

/// Names the instances that were made: a digest of their names, of the caller for the process's life. Empty before
/// plumb_clang_load().
PLUMB_CLANG_API const char* plumb_clang_instances();

/// Compiles `source` in the current folder to `object`. Called once a process, in a copy of one that has loaded. 0,
/// with warnings on standard error; -1, and nothing printed, where it is not good C++, the object then being absent or
/// worthless. What LLVM calls fatal, and clang's own faults, end in SIGABRT or another signal.
PLUMB_CLANG_API int plumb_clang_compile(const char* source, const char* object);

/// Writes the code of all instances to `object`, and how large each is to `sizes`. Called once a process, instead of
/// plumb_clang_compile(). 0, or -1.
PLUMB_CLANG_API int plumb_clang_emit_instances(const char* object, const char* sizes);
}
