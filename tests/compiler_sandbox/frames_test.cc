// What travels between the judge, its launchers and hostile programs is read with distrust.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "compiler_sandbox/answer_reader.h"
#include "compiler_sandbox/compiler_messages.h"
#include "compiler_sandbox/wire.h"

namespace plumb {
namespace {

using State = AnswerReader::State;

constexpr const char* kNonce = "0123456789abcdef";

State read_all(const std::string& bytes, std::size_t piece, AnswerReader& reader, std::string& rest) {
  State state = State::kMore;
  std::size_t at = 0;
  for (; at < bytes.size() && state == State::kMore; at += piece) {
    rest += bytes.substr(at, piece);
    state = reader.take(rest);
  }
  rest += at < bytes.size() ? bytes.substr(at) : "";
  return state;
}

TEST(AnswerReader, ReadsAnAnswerHoweverItIsCut) {
  const std::string bytes = std::string(kNonce) + "V 3\ni5;next";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    AnswerReader reader(kNonce, 100);
    std::string rest;
    ASSERT_EQ(read_all(bytes, piece, reader, rest), State::kDone) << piece;
    EXPECT_EQ(reader.answer().kind, 'V');
    EXPECT_EQ(reader.answer().payload, "i5;");
    EXPECT_EQ(rest, "next");
  }
}

TEST(AnswerReader, RefusesWhatTheDriverNeverSends) {
  const std::string nonce = kNonce;
  for (const std::string& bytes :
       {std::string("0123456789abcdeeV 3\ni5;"), nonce + "Z 3\ni5;", nonce + "V 3x\ni5;", nonce + "V -3\ni5;",
        nonce + "V \ni5;", nonce + "V3\ni5;", nonce + "V 9999999999999\n", std::string("\n"), std::string(64, 'A'),
        std::string("PASSED\nOK\n"), nonce + "V 18446744073709551616\n"}) {
    AnswerReader reader(kNonce, 100);
    std::string rest;
    EXPECT_EQ(read_all(bytes, bytes.size(), reader, rest), State::kMalformed) << bytes;
  }
}

TEST(AnswerReader, DropsWhatIsTooLongToBeRight) {
  AnswerReader reader(kNonce, 10);
  std::string rest;
  ASSERT_EQ(read_all(std::string(kNonce) + "V 1000\n" + std::string(1000, 'x') + "y", 64, reader, rest), State::kDone);
  EXPECT_TRUE(reader.answer().oversized);
  EXPECT_TRUE(reader.answer().payload.empty());
  EXPECT_EQ(rest, "y");
}

TEST(CompilerMessages, PlacesAndSeveritiesAreFound) {
  const auto messages = compiler_messages(
      "solution.cpp: In function 'int f()':\nsolution.cpp:3:5: error: 'x' was not declared\n"
      "solution.cpp:4:1: warning: unused\nsolution.cpp:7:10: fatal error: nope.h: No such file\ncompilation "
      "terminated.\n");
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0].severity, "error");
  EXPECT_EQ(messages[0].message, "'x' was not declared");
  EXPECT_EQ(messages[0].line, 3);
  EXPECT_EQ(messages[0].column, 5);
  EXPECT_EQ(messages[1].severity, "warning");
  EXPECT_EQ(messages[2].severity, "error");
  EXPECT_EQ(messages[2].line, 7);
  EXPECT_EQ(messages[0].file, "solution.cpp");
  EXPECT_EQ(messages[0].flag, "");
}

TEST(CompilerMessages, FilesAndFlagsAreFound) {
  const auto messages = compiler_messages(
      "solution.cpp:4:1: error: non-void function does not return a value [-Werror,-Wreturn-type]\n"
      "solution.cpp:5:2: warning: unused variable 'a[-W]' [-Wunused-variable]\n"
      "/usr/include/c++/12/bits/stl_algo.h:1938:22: error: invalid operands\n"
      "Main.java:3: error: ';' expected\n"
      "mold: error: undefined symbol: f()\n"
      ":1:1: error: nowhere [-W\n"
      "solution.cpp:6:1: error: no return statement [-Werror=return-type]\n");
  ASSERT_EQ(messages.size(), 7U);
  EXPECT_EQ(messages[6].flag, "-Wreturn-type");
  EXPECT_EQ(messages[0].flag, "-Wreturn-type");
  EXPECT_EQ(messages[0].message, "non-void function does not return a value");
  EXPECT_EQ(messages[1].flag, "-Wunused-variable");
  EXPECT_EQ(messages[1].message, "unused variable 'a[-W]'");
  EXPECT_EQ(messages[2].file, "/usr/include/c++/12/bits/stl_algo.h:1938");
  EXPECT_EQ(messages[2].line, 0);
  EXPECT_EQ(messages[3].file, "Main.java:3");
  EXPECT_EQ(messages[4].file, "");
  EXPECT_EQ(messages[4].message, "undefined symbol: f()");
  EXPECT_EQ(messages[5].file, "");
  EXPECT_EQ(messages[5].message, "nowhere [-W");
  EXPECT_EQ(compiler_messages("Main.java:3: error: x", "Main.java")[0].line, 3);
}

TEST(CompilerMessages, WarningsOfABuiltProgramAreAboutItsFile) {
  std::string text =
      "In file included from solution.cpp:1:\n/usr/include/x.h:3:1: warning: theirs\nplumb_call:2:1: warning: ours\n"
      "mold: warning: gets is dangerous\nwarning: 3 of them\nsolution.cpp:4:1: note: see here\n"
      "solution.cpp:4:1: warning: unused [-Wunused]\n1 warning generated.\n";
  const auto warnings = compiler_warnings(text);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].message, "unused");
  EXPECT_EQ(warnings[0].flag, "-Wunused");
  EXPECT_EQ(warnings[0].line, 4);
  EXPECT_TRUE(compiler_warnings("").empty());
  for (int i = 0; i < 100; ++i) {
    text += "solution.cpp:4:1: warning: again\n";
  }
  EXPECT_EQ(compiler_warnings(text).size(), 20U);
}

TEST(CompilerMessages, ARefusalNeverLacksWords) {
  EXPECT_EQ(compiler_messages("").at(0).severity, "error");
  EXPECT_EQ(compiler_messages("mold: undefined symbol: f()").at(0).message, "mold: undefined symbol: f()");
  std::string flood;
  for (int i = 0; i < 1000; ++i) {
    flood += "solution.cpp:1:1: error: " + std::string(10000, 'x') + "\n";
  }
  const auto messages = compiler_messages(flood);
  EXPECT_EQ(messages.size(), 20U);
  EXPECT_LE(messages[0].message.size(), 1000U);
}

struct SocketPair {
  UniqueFd here;
  UniqueFd there;
  SocketPair() {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    here = UniqueFd(pair[0]);
    there = UniqueFd(pair[1]);
  }
};

TEST(Wire, MessagesCarryBytesAndDescriptors) {
  SocketPair pair;
  SocketPair passed;
  const std::string bytes("\0\xFF\xC3(", 4);
  ASSERT_TRUE(send_wire(pair.here.get(), {{"op", "x"}, {"bytes", wire_bytes(bytes)}}, {passed.there.get()}));
  WireMessage message;
  ASSERT_TRUE(receive_wire(pair.there.get(), message));
  EXPECT_EQ(bytes_of(message.body["bytes"]), bytes);
  ASSERT_EQ(message.fds.size(), 1U);
  ASSERT_EQ(write(message.fds[0].get(), "!", 1), 1);
  char got = 0;
  EXPECT_EQ(read(passed.here.get(), &got, 1), 1);
  EXPECT_EQ(got, '!');
}

TEST(Wire, LargeMessagesPassAndDeadPeersAreNoticed) {
  SocketPair pair;
  const std::string large(3 << 20, 'z');
  std::thread sender([&] { EXPECT_TRUE(send_wire(pair.here.get(), {{"bytes", wire_bytes(large)}})); });
  WireMessage message;
  ASSERT_TRUE(receive_wire(pair.there.get(), message));
  sender.join();
  EXPECT_EQ(bytes_of(message.body["bytes"]), large);
  pair.here.reset();
  EXPECT_FALSE(receive_wire(pair.there.get(), message));
  EXPECT_FALSE(send_wire(pair.there.get(), {{"op", "x"}}));
}

TEST(Wire, MalformedMessagesAreRefused) {
  const std::string lengths[] = {std::string("\xFF\xFF\xFF\xFF", 4), std::string("\4\0\0\0abcd", 8),
                                 std::string("\1\0\0\0\xF6", 5), std::string("\2\0", 2),
                                 std::string("\x0a\0\0\0\xbb\x92\x36\xe3\x35\xfb\xff\x30\x04\0", 14)};
  for (const std::string& bytes : lengths) {
    SocketPair pair;
    ASSERT_EQ(send(pair.here.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    pair.here.reset();
    WireMessage message;
    EXPECT_FALSE(receive_wire(pair.there.get(), message));
  }
}

}  // namespace
}  // namespace plumb
