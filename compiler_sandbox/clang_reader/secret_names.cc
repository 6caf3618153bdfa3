#include "compiler_sandbox/clang_reader/secret_names.h"

#include <clang/Basic/CharInfo.h>

#include <algorithm>
#include <string>
#include <vector>

namespace plumb {
namespace {

using Words = std::vector<std::string>;

// "dbPassword_2" is db, password.
Words words_of(llvm::StringRef name) {
  Words words(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool after_small = i > 0 && clang::isLowercase(name[i - 1]);
    const bool before_small =
        i > 0 && i + 1 < name.size() && clang::isUppercase(name[i - 1]) && clang::isLowercase(name[i + 1]);
    if (!clang::isLetter(c) || (clang::isUppercase(c) && (after_small || before_small))) {
      words.emplace_back();
    }
    if (clang::isLetter(c)) {
      words.back() += clang::toLowercase(c);
    }
  }
  std::erase(words, "");
  return words;
}

bool is_one_of(const std::string& word, std::initializer_list<const char*> words) {
  return std::ranges::find(words, word) != words.end();
}

bool is_password(const std::string& word) {
  return is_one_of(word, {"password", "passwd", "pwd", "passphrase", "passcode", "apikey", "secretkey", "privatekey"});
}

// "key" alone is that of a map.
bool qualifies_key(const std::string& word) {
  return is_one_of(word, {"api", "secret", "private", "access", "encryption", "signing", "session", "master", "aes",
                          "hmac", "crypto", "auth", "jwt"});
}

bool is_qualified(const Words& words, std::size_t i) {
  const bool key = words[i] == "key" && i > 0 && qualifies_key(words[i - 1]);
  const bool token = words[i] == "token" && i > 0 && is_one_of(words[i - 1], {"auth", "access", "bearer", "api"});
  return key || token || (words[i] == "secret" && i > 0 && is_one_of(words[i - 1], {"client", "app", "shared", "jwt"}));
}

}  // namespace

bool names_secret(llvm::StringRef name) {
  const Words words = words_of(name);
  return !words.empty() && (is_password(words.back()) || is_qualified(words, words.size() - 1));
}

bool may_name_secret(llvm::StringRef name) {
  const Words words = words_of(name);
  return !words.empty() && is_one_of(words.back(), {"token", "secret", "credential", "credentials"});
}

bool looks_secret(llvm::StringRef text, bool sure) {
  constexpr std::size_t kShortest = 4;
  constexpr std::size_t kShortestOfUnsure = 8;
  const bool filled_in = !text.empty() && llvm::StringRef("<${%").contains(text.front());
  const bool words = text.find_first_of(" \t\n:") != llvm::StringRef::npos;  // "Password: "
  if (filled_in || words || text.size() < (sure ? kShortest : kShortestOfUnsure)) {
    return false;
  }
  return sure || (std::ranges::any_of(text, [](char c) { return clang::isLetter(c); }) &&
                  std::ranges::any_of(text, [](char c) { return clang::isDigit(c); }));
}

bool needs_unpredictable(llvm::StringRef name) {
  const Words words = words_of(name);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool session_id = words[i] == "id" && i > 0 && words[i - 1] == "session";
    if (is_password(words[i]) || is_qualified(words, i) || session_id ||
        is_one_of(words[i], {"token", "secret", "nonce", "salt", "otp", "csrf"})) {
      return true;
    }
  }
  return false;
}

}  // namespace plumb
