// Any bytes as what a judged program or a launcher sends: frames are read alike however they are cut, values compare
// without regard to what was expected of them, and messages are a message or refused.

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "compiler_sandbox/answer_reader.h"
#include "compiler_sandbox/compiler_messages.h"
#include "compiler_sandbox/values.h"
#include "compiler_sandbox/wire.h"
#include "core/check.h"

namespace {

using plumb::AnswerReader;
using plumb::Comparison;

void check_frames(const std::string& bytes, std::size_t step) {
  const std::string nonce = "0123456789abcdef";
  AnswerReader whole(nonce, 64);
  std::string rest = bytes;
  const AnswerReader::State state = whole.take(rest);
  AnswerReader cut(nonce, 64);
  std::string pieces;
  AnswerReader::State last = AnswerReader::State::kMore;
  for (std::size_t at = 0; at < bytes.size() && last == AnswerReader::State::kMore; at += step) {
    pieces += bytes.substr(at, step);
    last = cut.take(pieces);
  }
  PLUMB_CHECK(last == state, "pieces and whole disagree");
  PLUMB_CHECK(state != AnswerReader::State::kDone || cut.answer().payload == whole.answer().payload, "another payload");
  PLUMB_CHECK(whole.answer().payload.size() <= 64, "more was kept than may be");
}

void check_values(const std::string& bytes) {
  const nlohmann::json expected[] = {5,           1.5,   true,   "text",     nullptr, {1, 2},
                                     {{"a"}, {}}, "nan", {1, 2}, {{"a", 1}}, "b"};
  const char* types[] = {"int",   "float",    "bool",           "str",  "int", "list[int]", "list[list[str]]",
                         "float", "set[int]", "dict[str, int]", "bytes"};
  const bool malformed = plumb::compare_value(bytes, expected[0], types[0]) == Comparison::kMalformed;
  int equal = 0;
  for (std::size_t i = 0; i < std::size(types); ++i) {
    const Comparison comparison = plumb::compare_value(bytes, expected[i], types[i]);
    PLUMB_CHECK((comparison == Comparison::kMalformed) == malformed, "the format depends on what was expected");
    equal += comparison == Comparison::kEqual ? 1 : 0;
  }
  PLUMB_CHECK(equal <= 1, "one value equals two of different types");
  PLUMB_CHECK(malformed == !plumb::is_well_formed(bytes, 1), "there are two opinions of the format");
}

// What JSON says of a value, written for a driver, is that value when it comes back.
void check_round_trip(const std::string& bytes) {
  const nlohmann::json value = nlohmann::json::parse(bytes, nullptr, false);
  for (const char* type : {"int", "float", "bool", "str", "list[int]", "list[float]", "list[list[str]]", "any",
                           "set[str]", "dict[str, any]", "tuple[int, str]", "optional[bytes]"}) {
    const plumb::FunctionSignature function{"f", {{"x", type}}, type};
    const auto text = plumb::encode_arguments(nlohmann::json::array({value}), function, plumb::Language::kPython);
    if (text) {
      PLUMB_CHECK(plumb::compare_value(*text, value, type) == Comparison::kEqual, "a value differs from itself");
    }
  }
}

void check_wire(const std::string& bytes) {
  int pair[2];
  PLUMB_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "no socket pair");
  plumb::UniqueFd here(pair[0]);
  plumb::UniqueFd there(pair[1]);
  static_cast<void>(!send(here.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  here.reset();
  plumb::WireMessage message;
  PLUMB_CHECK(!plumb::receive_wire(there.get(), message) || message.body.is_object(), "a message is an object");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  check_frames(bytes, size == 0 ? 1 : 1 + data[0] % 7);
  check_frames("0123456789abcdefV " + bytes, 3);
  check_values(bytes);
  check_round_trip(bytes);
  check_wire(bytes);
  PLUMB_CHECK(plumb::compiler_messages(bytes).size() <= 20, "too many messages");
  PLUMB_CHECK(plumb::compiler_warnings(bytes).size() <= 20, "too many warnings");
  return 0;
}
