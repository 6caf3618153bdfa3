#include "compiler_sandbox/languages.h"

// As in core/config_toml.cc.
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <type_traits>

#include "core/atomic_file.h"
#include "core/toml_ascii.h"

namespace plumb {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLongestFile = std::uint64_t{1} << 20;

// One table, read key by key; the first error stays.
class Reader {
 public:
  Reader(const toml::table& table, std::string path) : table_(table), path_(std::move(path)) {}

  template <typename Value>
  void take(const char* key, Value& value, bool needed = false) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) {
      fail(needed, std::string("the key ") + key + " lacks");
      return;
    }
    const auto found = node->value_exact<std::conditional_t<std::is_same_v<Value, int>, std::int64_t, Value>>();
    fail(!found, std::string("the key ") + key + " has another type than expected");
    value = found ? static_cast<Value>(*found) : value;
  }

  void take_words(const char* key, std::vector<std::string>& words, bool needed = false) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    fail(node == nullptr && needed, std::string("the key ") + key + " lacks");
    if (node != nullptr) {
      read_words(node, key, words);
    }
  }

  void take_commands(const char* key, std::vector<std::vector<std::string>>& commands) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    const toml::array* list = node == nullptr ? nullptr : node->as_array();
    fail(node != nullptr && list == nullptr, std::string(key) + " must be a list of commands");
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      commands.emplace_back();
      read_words(list->get(i), key, commands.back());
    }
  }

  Result<void> finish() {
    for (const auto& [key, value] : table_) {
      fail(!known_.contains(std::string(key.str())), "there is no key " + std::string(key.str()));
    }
    return error_.empty() ? Result<void>() : Error{path_ + ": " + error_};
  }

 private:
  void read_words(const toml::node* node, const char* key, std::vector<std::string>& words) {
    const toml::array* list = node->as_array();
    fail(list == nullptr, std::string(key) + " must be a list of texts");
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const auto word = list->get(i)->value<std::string>();
      fail(!word, std::string(key) + " must hold texts alone");
      words.push_back(word.value_or(""));
    }
  }

  void fail(bool failed, const std::string& what) {
    if (failed && error_.empty()) {
      error_ = what;
    }
  }

  const toml::table& table_;
  std::string path_;
  std::set<std::string> known_;
  std::string error_;
};

Result<LanguageFile> read_language(const std::string& path) {
  PLUMB_ASSIGN(const std::string text, read_file(path, kLongestFile));
  PLUMB_ASSIGN(const std::string ascii, toml_in_ascii(text, path));
  toml::table table;
  try {
    table = toml::parse(ascii, path);
  } catch (const toml::parse_error& error) {
    return Error{path + " is no TOML: " + std::string(error.description())};
  }
  LanguageFile file;
  Reader reader(table, path);
  reader.take("name", file.name, true);
  reader.take("source", file.source, true);
  reader.take_words("needs", file.needs, true);
  reader.take_commands("build", file.build);
  reader.take("precompiled_headers", file.precompiled_headers);
  reader.take_words("run", file.run, true);
  reader.take_commands("versions", file.versions);
  reader.take_words("environment", file.environment);
  reader.take_words("mounts", file.mounts);
  reader.take("warm_up", file.warm_up);
  reader.take("extra_cpu_s", file.extra_cpu_s);
  reader.take("extra_processes", file.extra_processes);
  reader.take("extra_memory_mib", file.extra_memory_mib);
  reader.take("extra_file_mib", file.extra_file_mib);
  PLUMB_TRY(reader.finish());
  for (const std::string& program : file.needs) {
    if (file.missing.empty() && access(program.c_str(), X_OK) != 0) {
      file.missing = program;
    }
  }
  if (file.run.empty()) {
    return Error{path + ": run names no command"};
  }
  return file;
}

}  // namespace

Result<Languages> read_languages(const std::string& folder) {
  Languages languages;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".toml") {
      continue;
    }
    PLUMB_ASSIGN(LanguageFile file, read_language(entry.path()));
    const std::string name = file.name;
    if (!languages.emplace(name, std::move(file)).second) {
      return Error{entry.path().string() + ": the language " + name + " has a file already"};
    }
  }
  if (error) {
    return Error{"cannot read the language files in " + folder + ": " + error.message() +
                 "; name their folder in PLUMB_LANGUAGES"};
  }
  return languages;
}

std::string languages_folder(const std::string& launcher) {
  const char* named = std::getenv("PLUMB_LANGUAGES");
  return named != nullptr && *named != '\0' ? named : (fs::path(launcher).parent_path() / "languages").string();
}

std::vector<std::string> filled_in(const std::vector<std::string>& command, int memory_mib) {
  std::vector<std::string> words = command;
  constexpr std::string_view kMemory = "{memory_mib}";
  for (std::string& word : words) {
    if (const std::size_t at = word.find(kMemory); at != std::string::npos) {
      word.replace(at, kMemory.size(), std::to_string(memory_mib));
    }
  }
  return words;
}

}  // namespace plumb
