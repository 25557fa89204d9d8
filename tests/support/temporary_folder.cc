#include <cstdlib>
#include <filesystem>

#include "tests/support/inventory.h"

namespace lwmsg::test {

TemporaryFolder::TemporaryFolder() {
  std::filesystem::path path;
  std::error_code error;
  do {
    path = std::filesystem::temp_directory_path() / NewName();
  } while (!std::filesystem::create_directory(path, error) && !error);
  // Other users of the test come in.
  std::filesystem::permissions(path, std::filesystem::perms(0755));
  path_ = path.generic_string();
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace lwmsg::test
