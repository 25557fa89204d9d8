#include "lwmsg/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "lwmsg/limit_hits.h"

// What an operator hears, and what he is spared.
namespace lwmsg::test {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;

TEST(LogTest, BuildsNoTextThatNobodyWants) {
  std::vector<std::string> lines;
  Log log([&](LogLevel, std::string_view line) { lines.emplace_back(line); }, LogLevel::kWarning);
  int built = 0;
  const auto build = [&] {
    ++built;
    return std::string("text");
  };
  EXPECT_FALSE(log.Wants(LogLevel::kInfo));
  log.Write(LogLevel::kInfo, build);
  EXPECT_EQ(built, 0);
  EXPECT_TRUE(log.Wants(LogLevel::kError));
  log.Write(LogLevel::kWarning, build);
  EXPECT_EQ(built, 1);
  EXPECT_THAT(lines, ElementsAre("text"));
}

TEST(LogTest, DefaultWantsNothing) {
  const Log log;
  EXPECT_FALSE(log.Wants(LogLevel::kError));
  log.Write(LogLevel::kError, []() -> std::string { throw std::logic_error("built"); });
}

TEST(LogTest, CopiesShareTheLevel) {
  Log log([](LogLevel, std::string_view) {}, LogLevel::kError);
  const Log copy = log;
  EXPECT_FALSE(copy.Wants(LogLevel::kTrace));
  log.set_level(LogLevel::kTrace);
  EXPECT_TRUE(copy.Wants(LogLevel::kTrace));
}

std::string Shown(std::string_view text) {
  std::string shown;
  const Log log([&](LogLevel, std::string_view line) { shown = line; });
  log.Write(LogLevel::kError, [text] { return std::string(text); });
  return shown;
}

TEST(LogTest, LineIsOneLineWhateverAPeerPutThere) {
  EXPECT_EQ(Shown("a\nerror: b\x1b[2J\x7f\xc3\xa4"), "a\\x0aerror: b\\x1b[2J\\x7f\xc3\xa4");
}

TEST(LogTest, ControlCharactersOfTheUpperHalfAndBrokenTextAreShownAsNumbers) {
  EXPECT_EQ(Shown("\xc2\x9b[2J"), "\\xc2\\x9b[2J");
  EXPECT_EQ(Shown("\x9b[2J"), "\\x9b[2J");
  EXPECT_EQ(Shown("\xc2"), "\\xc2");
  EXPECT_EQ(Shown("\xc0\xaf"), "\\xc0\\xaf") << "too long for what it says";
  EXPECT_EQ(Shown("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half a surrogate";
  EXPECT_EQ(Shown("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(Shown("\xe2\x82\xac \xf0\x9f\x90\xa7 \xc2\xa0"),
            "\xe2\x82\xac \xf0\x9f\x90\xa7 \xc2\xa0");
}

TEST(LogTest, T68_AFloodOfLinesIsCutAndCounted) {
  std::vector<std::string> lines;
  const Log log([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  size_t written = 0;
  const auto write = [&] {
    log.Write(LogLevel::kWarning, [] { return std::string("flood"); });
    ++written;
  };
  while (written < 1'000'000) write();
  // The others have buckets of their own.
  log.Write(LogLevel::kError, [] { return std::string("look"); });
  EXPECT_EQ(lines.back(), "look");
  const size_t most = lines.size();
  while (lines.size() < most + 2) write();
  size_t shown = 0;
  uint64_t left_out = 0;
  for (const std::string& line : lines) {
    if (line == "flood") ++shown;
    if (line == "flood" || line == "look") continue;
    EXPECT_GE(shown, Log::kBurst);
    EXPECT_THAT(line, EndsWith(" lines of this level were left out: more than 20 a second"));
    left_out += std::stoull(line);
  }
  EXPECT_NE(left_out, 0U);
  EXPECT_EQ(shown + left_out, written);
}

TEST(LogTest, WhatAnOperatorAskedForIsNeverCut) {
  int lines = 0;
  const Log log([&](LogLevel, std::string_view) { ++lines; }, LogLevel::kTrace);
  for (int i = 0; i < 1000; ++i) log.Write(LogLevel::kTrace, [] { return std::string("call"); });
  EXPECT_EQ(lines, 1000);
}

TEST(LimitHitsTest, EachLimitIsCountedUnderTheNameThatItsTextHas) {
  const auto count = [](std::string_view name) -> uint64_t {
    for (const LimitHits& limit : CountLimitHits()) {
      if (limit.name == name) return limit.count;
    }
    return 0;
  };
  const uint64_t before = count("max_calls");
  EXPECT_EQ(internal::HitLimit(internal::Limit::kMaxCalls), "Limits::max_calls");
  EXPECT_EQ(count("max_calls"), before + 1);
  EXPECT_EQ(internal::HitLimit(internal::Limit::kCallTimeout), "Limits::call_timeout");
  EXPECT_GE(count("call_timeout"), 1U);
}

}  // namespace
}  // namespace lwmsg::test
