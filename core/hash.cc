#include "core/hash.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <vector>

#include "core/check.h"

namespace plumb {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool ended = false;

  State() {
    PLUMB_CHECK(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1, "SHA-256 cannot start");
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  update(std::as_bytes(std::span(bytes)));
}

void Sha256::update(std::span<const std::byte> bytes) {
  PLUMB_CHECK(!state_->ended, "Sha256::update after hex");
  PLUMB_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "SHA-256 cannot go on");
}

std::string Sha256::hex() {
  PLUMB_CHECK(!state_->ended, "Sha256::hex called twice");
  state_->ended = true;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  PLUMB_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), &size) == 1, "SHA-256 cannot end");
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 sum;
  sum.update(bytes);
  return sum.hex();
}

Result<std::string> sha256_file(const std::string& path) {
  const auto close = [](std::FILE* file) { return std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rbe"), close);
  if (!file) {
    return Error{path + ": cannot be read: " + std::generic_category().message(errno)};
  }
  Sha256 sum;
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get());
    if (count == 0) {
      break;
    }
    sum.update(std::string_view(buffer.data(), count));
  }
  if (std::ferror(file.get()) != 0) {
    return Error{path + ": cannot be read: " + std::generic_category().message(errno)};
  }
  return sum.hex();
}

}  // namespace plumb
