#pragma once
// Which names stand for secrets.

#include <llvm/ADT/StringRef.h>

namespace plumb {

/// Whether a text under this name that is written into a program is a secret in it: its last words say password,
/// API key and the like ("db_password", "apiKey", "kPassword2"); "password_prompt" and "tokens" are none.
bool names_secret(llvm::StringRef name);

/// Whether it is where a secret may well be ("token", "secret"), and as well the word of a parser.
bool may_name_secret(llvm::StringRef name);

/// Whether `text` looks like a secret and not like a word, a question to the user or a place to be filled in. Under a
/// name that only may be a secret's it has to have letters and digits.
bool looks_secret(llvm::StringRef text, bool sure);

/// Whether what has this name has to be unpredictable: secrets, and nonces, salts, session ids.
bool needs_unpredictable(llvm::StringRef name);

}  // namespace plumb
