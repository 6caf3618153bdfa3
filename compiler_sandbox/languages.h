#pragma once
// Languages of whole programs are data: a TOML file each (compiler_sandbox/languages/), which says how a source is
// built and started. Adding one needs no C++.

#include <map>
#include <string>
#include <vector>

#include "core/result.h"

namespace plumb {

/// What a language file says. In commands, {memory_mib} stands for the submission's memory limit.
struct LanguageFile {
  std::string name;
  std::string source;                           // the file that the source text becomes
  std::vector<std::string> needs;               // programs of this machine; where one is absent it is not offered
  std::vector<std::vector<std::string>> build;  // commands, one after another; none for interpreted languages
  bool precompiled_headers = false;             // C++: built by the judge's own compiler and headers instead
  std::vector<std::string> run;
  std::vector<std::vector<std::string>> versions;  // commands whose first line says a tool's version; "cpp" needs none
  std::vector<std::string> environment;            // "NAME=value", of building and running
  std::vector<std::string> mounts;                 // folders outside /usr that its tools read; absent ones are left out
  std::string warm_up;                             // a program that is run once before the first one is judged
  double extra_cpu_s = 0;                          // what the runtime takes to start, beside the submission's limit
  int extra_processes = 0;                         // threads of the runtime itself, beside the submission's
  int extra_memory_mib = 0;                        // memory of the runtime itself, likewise
  int extra_file_mib = 0;                          // what building leaves in the work folder, likewise
  std::string missing;                             // what of `needs` is absent; empty where programs can be judged
};

/// By name.
using Languages = std::map<std::string, LanguageFile>;

/// Reads every *.toml of `folder`. Errors: no such folder, a file that is no TOML, a key that is unknown, lacks or has
/// another type, a name used twice.
Result<Languages> read_languages(const std::string& folder);

/// The folder to read: $PLUMB_LANGUAGES, else "languages" beside `launcher`.
std::string languages_folder(const std::string& launcher);

/// `command` with what stands in braces filled in.
std::vector<std::string> filled_in(const std::vector<std::string>& command, int memory_mib);

}  // namespace plumb
