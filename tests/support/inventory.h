#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "lwmsg/os_handle.h"
#include "tests/support/system.h"

namespace lwmsg::test {

// The open descriptors of this process, with what each is. On Windows handles of those kinds that a
// leak in this library would show, with their kind.
std::map<OsHandle::Native, std::string> OpenDescriptors();

// A test that fails if it leaves other descriptors open than it found.
class InventoriedTest : public ::testing::Test {
 protected:
  InventoriedTest() : before_(OpenDescriptors()) {}
  ~InventoriedTest() override { EXPECT_EQ(OpenDescriptors(), before_) << "descriptors differ"; }

 private:
  std::map<OsHandle::Native, std::string> before_;
};

// A folder that goes, with what is in it, at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  const std::string& path() const { return path_; }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  // For a server, with a name that no other folder's endpoints have.
  std::string Endpoint(const std::string& name = "s") const { return EndpointIn(path_, name); }

 private:
  std::string path_;
};

}  // namespace lwmsg::test
