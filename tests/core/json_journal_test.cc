#include "core/json_journal.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace plumb {
namespace {

namespace fs = std::filesystem;

class JsonJournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "plumb_journal_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = (folder_ / "journal.jsonl").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Numbers below 100.
  Result<std::unique_ptr<JsonJournal>> open() const {
    return JsonJournal::open(path_, {"number", "then the numbers are lost", [](const nlohmann::json& json) {
                                       return json.get<int>() < 100 ? Result<void>() : Result<void>(Error{"too many"});
                                     }});
  }
  void write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  void append(const std::string& bytes) const { std::ofstream(path_, std::ios::binary | std::ios::app) << bytes; }
  std::string contents() const { return read_file(path_).value(); }
  std::string refusal() const {
    const auto opened = open();
    return opened ? "" : opened.error().message;
  }

  fs::path folder_;
  std::string path_;
};

const std::string kOne = "{\"key\":\"one\",\"number\":1}\n";
const std::string kTwo = "{\"key\":\"two\",\"number\":2}\n";

TEST_F(JsonJournalTest, FindsWhatWasAddedAlsoWhenItIsOpenedAgain) {
  for (const bool again : {false, true}) {
    const auto journal = open().value();
    EXPECT_EQ(journal->note(), "");
    EXPECT_EQ(journal->find("nobody"), std::nullopt);
    EXPECT_EQ(journal->find("one"), again ? std::optional<nlohmann::json>(1) : std::nullopt);
    journal->add("one", 1);
    journal->add("two", 2);
    journal->add("one", 3);  // what is known stays
    EXPECT_EQ(journal->find("one"), 1);
    EXPECT_EQ(journal->find("two"), 2);
    EXPECT_TRUE(journal->sync().ok());
    EXPECT_EQ(contents(), kOne + kTwo);
  }
}

TEST_F(JsonJournalTest, FindsEachOfManyKeys) {
  const auto journal = open().value();
  for (int i = 0; i < 20000; ++i) {
    journal->add("key " + std::to_string(i), i % 100);
  }
  const auto again = open().value();
  for (int i = 0; i < 20000; ++i) {
    ASSERT_EQ(journal->find("key " + std::to_string(i)), i % 100) << i;
    ASSERT_EQ(again->find("key " + std::to_string(i)), i % 100) << i;
  }
  EXPECT_EQ(again->find("key 20000"), std::nullopt);
}

TEST_F(JsonJournalTest, ReadsALineLongerThanItsBuffers) {
  const std::string key(100'000, 'k');
  open().value()->add(key, 7);
  const auto journal = open().value();
  journal->add("after", 8);
  EXPECT_EQ(journal->find(key), 7);
  EXPECT_EQ(journal->find("after"), 8);
}

TEST_F(JsonJournalTest, CutsOffWhatAKillOrAPowerLossLeftAtTheEnd) {
  const std::string zeros(5000, '\0');
  for (const std::string& tail : {std::string("{\"key\":\"tw"), zeros, "{\"key\":\"tw" + zeros, zeros + "\":2}\n",
                                  kTwo.substr(0, 8) + zeros + "\n" + zeros + "2}\n"}) {
    write(kOne + tail);
    const auto journal = open().value();
    EXPECT_NE(journal->note().find("its last " + std::to_string(tail.size()) + " bytes"), std::string::npos)
        << journal->note();
    EXPECT_EQ(contents(), kOne);
    journal->add("two", 2);
    EXPECT_EQ(contents(), kOne + kTwo);
    EXPECT_EQ(journal->find("two"), 2);
  }
}

TEST_F(JsonJournalTest, RefusesDamageInTheMiddleAndSaysWhatRemovingTheFileWouldLose) {
  const std::string zeros(20, '\0');
  for (const std::string& damage :
       {std::string("{\"key\":\"tw\n"), zeros + "\n", std::string("{}\n"), std::string("\n"),
        std::string("{\"key\":3,\"number\":3}\n"), std::string("{\"key\":\"big\",\"number\":100}\n"),
        std::string("{\"key\":\"text\",\"number\":\"a\"}\n")}) {
    write(kOne + damage + kTwo);
    const std::string words = refusal();
    EXPECT_NE(words.find("journal.jsonl:2: not an entry of number"), std::string::npos) << words;
    EXPECT_NE(words.find("then the numbers are lost"), std::string::npos) << words;
    EXPECT_EQ(contents(), kOne + damage + kTwo);
  }
  write(kOne + "{}\n");  // whole, so that no fault of a machine has made it
  EXPECT_NE(refusal().find("journal.jsonl:2:"), std::string::npos);
}

TEST_F(JsonJournalTest, NoticesThatItsFileWasChanged) {
  const auto journal = open().value();
  journal->add("one", 1);
  write("");
  EXPECT_EQ(journal->find("one"), std::nullopt);
  EXPECT_NE(journal->status().error().message.find("no longer there"), std::string::npos);
  EXPECT_FALSE(journal->sync().ok());
}

}  // namespace
}  // namespace plumb
