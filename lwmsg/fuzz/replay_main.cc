// The main function of a fuzzer where the compiler brings none: runs the saved inputs that are
// named, each a file or a folder of files and folders. Options, which begin with "-", are
// libFuzzer's.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::vector<std::filesystem::path> FilesOf(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

bool Run(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  // Copied to memory of its exact size, so that a sanitizer sees what reads past it.
  const std::string read((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::vector<uint8_t> bytes(read.begin(), read.end());
  if (!file) return false;
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  int count = 0;
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '-') continue;
    for (const auto& path : FilesOf(argv[i])) {
      // The last that is named before the end is what brought it about.
      std::printf("running %s\n", path.string().c_str());
      std::fflush(stdout);
      if (!Run(path)) {
        std::printf("%s cannot be read\n", path.string().c_str());
        return 1;
      }
      ++count;
    }
  }
  std::printf("%d inputs\n", count);
  return count == 0 ? 1 : 0;
}
