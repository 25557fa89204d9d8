#include "tests/support/inventory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <cstdlib>
#include <filesystem>

namespace lwmsg::test {
namespace {

// libuv keeps a pipe for signals from the first loop of the process on.
void OpenWhatLibuvKeeps() {
  uv_loop_t loop;
  if (uv_loop_init(&loop) != 0 || uv_loop_close(&loop) != 0) std::abort();
}

}  // namespace

std::map<int, std::string> OpenDescriptors() {
  static const bool opened = (OpenWhatLibuvKeeps(), true);
  static_cast<void>(opened);
  std::map<int, std::string> descriptors;
  DIR* folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    const int number = std::atoi(entry->d_name);
    if (entry->d_name[0] == '.' || number == dirfd(folder)) continue;
    std::error_code error;
    descriptors[number] =
        std::filesystem::read_symlink(std::string("/proc/self/fd/") + entry->d_name, error);
  }
  closedir(folder);
  return descriptors;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = std::filesystem::temp_directory_path() / "lwmsg-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) std::abort();
  chmod(name.c_str(), 0755);  // Other users of the test come in.
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace lwmsg::test
