#include "runtime/posix/path_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <utility>

#include "runtime/posix/peer_token.h"

namespace lwmsg::internal {
namespace {

constexpr int kMostLinks = 40;  // As the kernel follows (path_resolution(7)).

std::string Octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777U);
  return text.data();
}

// Takes one name from the front of `rest`; empty at its end.
std::string TakeName(std::string& rest) {
  const size_t begin = std::min(rest.find_first_not_of('/'), rest.size());
  const size_t end = std::min(rest.find('/', begin), rest.size());
  std::string name = rest.substr(begin, end - begin);
  rest.erase(0, end);
  return name;
}

// Goes along a path as the kernel does, name by name.
class Walk {
 public:
  Walk(std::string path, std::optional<uint32_t> other) : rest_(std::move(path)), other_(other) {}

  PathCheck Run() {
    if (!Begin()) return {errno, {}};
    for (std::string name = TakeName(rest_); !name.empty(); name = TakeName(rest_)) {
      struct stat info{};
      const std::string next = folder_ + (folder_ == "/" ? "" : "/") + name;
      if (lstat(next.c_str(), &info) != 0) return {errno, {}};
      if (std::string danger = DangerOf(next, &info); !danger.empty()) return {0, danger};
      if (S_ISLNK(info.st_mode)) {
        if (!Follow(next)) return {errno, {}};
        continue;
      }
      folder_ = next;
      folder_info_ = info;
    }
    return {};
  }

  // Where Run has come to, as a folder in which this process will make a name.
  std::string DangerHere() const { return DangerOf(folder_, nullptr); }

 private:
  bool Begin() {
    if (rest_.starts_with('/')) folder_ = "/";
    return stat(folder_.c_str(), &folder_info_) == 0;
  }

  bool Follow(const std::string& link) {
    std::array<char, PATH_MAX> target;
    const ssize_t size = readlink(link.c_str(), target.data(), target.size());
    if (size < 0) return false;
    if (++links_ > kMostLinks) {
      errno = ELOOP;
      return false;
    }
    rest_ = std::string(target.data(), static_cast<size_t>(size)) + "/" + rest_;
    return rest_.front() != '/' || Begin();
  }

  bool Trusts(uid_t owner) const {
    const auto user = KnownUser(owner);
    return user && (user == 0U || user == geteuid() || user == other_);
  }

  // Of a name in the folder where this is, `next`; or of the folder alone, which `next` then is.
  std::string DangerOf(const std::string& next, const struct stat* info) const {
    const mode_t mode = folder_info_.st_mode;
    if (!Trusts(folder_info_.st_uid)) {
      return "folder " + folder_ + " belongs to user " + std::to_string(folder_info_.st_uid);
    }
    if ((mode & (S_IWGRP | S_IWOTH)) == 0) return "";
    if ((mode & S_ISVTX) == 0) {
      return "others than its owner may write to folder " + folder_ + " (mode " + Octal(mode) + ")";
    }
    if (info == nullptr || Trusts(info->st_uid)) return "";
    return "others than its owner may write to folder " + folder_ + " (mode " + Octal(mode) +
           "), where " + next + " belongs to user " + std::to_string(info->st_uid);
  }

  std::string rest_;
  const std::optional<uint32_t> other_;
  std::string folder_ = ".";
  struct stat folder_info_{};
  int links_ = 0;
};

}  // namespace

PathCheck CheckPath(const std::string& path, std::optional<uint32_t> other) {
  return Walk(path, other).Run();
}

PathCheck CheckFolderOf(const std::string& path) {
  Walk walk(path.substr(0, path.rfind('/') + 1), {});
  PathCheck check = walk.Run();
  if (check.error == 0 && check.danger.empty()) check.danger = walk.DangerHere();
  return check;
}

}  // namespace lwmsg::internal
