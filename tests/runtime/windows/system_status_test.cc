// What the system says, in our words: statuses and texts.

#include "runtime/windows/system_status.h"

#include <gtest/gtest.h>
#include <windows.h>

#include "runtime/windows/wide_text.h"

namespace lwmsg::internal {
namespace {

TEST(SystemStatusTest, TellsWhatFailedTheSystemsWordsAndTheNumber) {
  const Status status = SystemStatus("cannot open process 42", ERROR_ACCESS_DENIED);
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(status.message().find("cannot open process 42: "), 0u) << status;
  EXPECT_NE(status.message().find("ccess"), std::string::npos) << status;
  EXPECT_NE(status.message().find("denied (error 5)"), std::string::npos) << status;
}

TEST(SystemStatusTest, IsOneLineForEveryError) {
  for (unsigned long error = 0; error < 10'000; ++error) {
    const Status status = SystemStatus("x", error);
    ASSERT_EQ(status.message().find_first_of("\r\n"), std::string::npos) << status;
    ASSERT_EQ(status.message().find(" (error"), status.message().rfind(" (error")) << status;
    ASSERT_FALSE(status.ok());
  }
}

TEST(SystemStatusTest, AnErrorWithoutWordsKeepsItsNumber) {
  const Status status = SystemStatus("x", 0x2000'0001);
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_EQ(status.message(), "x: the system has no words for it (error 536870913)");
}

TEST(SystemStatusTest, CodesSayWhatToDoNext) {
  EXPECT_EQ(SystemStatus("", ERROR_FILE_NOT_FOUND).code(), StatusCode::kNotFound);
  EXPECT_EQ(SystemStatus("", ERROR_NONE_MAPPED).code(), StatusCode::kNotFound);
  EXPECT_EQ(SystemStatus("", ERROR_ALREADY_EXISTS).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(SystemStatus("", ERROR_TOO_MANY_OPEN_FILES).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(SystemStatus("", ERROR_INVALID_PARAMETER).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(SystemStatus("", ERROR_SHARING_VIOLATION).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(SystemStatus("", ERROR_BROKEN_PIPE).code(), StatusCode::kUnavailable);
  EXPECT_EQ(SystemStatus("", ERROR_OPERATION_ABORTED).code(), StatusCode::kCancelled);
}

TEST(WideTextTest, GoesThereAndBack) {
  const std::string text = "gr\xC3\xBC\xC3\x9F Gott \xE2\x82\xAC \xF0\x9F\x90\xA7";
  const auto wide = ToWide(text);
  ASSERT_TRUE(wide) << wide.error();
  EXPECT_EQ(wide->size(), 14u);  // The last takes two.
  EXPECT_EQ(ToUtf8(*wide), text);
  EXPECT_EQ(*ToWide(""), L"");
  EXPECT_EQ(ToUtf8(L""), "");
}

TEST(WideTextTest, RefusesWhatWouldBecomeAnotherName) {
  EXPECT_EQ(ToWide("a\xFF").error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ToWide(std::string("a\0b", 3)).error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lwmsg::internal
