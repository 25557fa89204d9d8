#include "exported_tree.h"

// clang-format off: in this order.
#include <windows.h>
#include <sddl.h>
#include <winternl.h>
// clang-format on

#include <filesystem>
#include <memory>
#include <utility>

#include "access.h"
#include "system_error.h"

using lwmsg::Error;
using lwmsg::OsHandle;
using lwmsg::Result;
using lwmsg::Status;
using lwmsg::StatusCode;
using lwmsg::Token;

namespace {

constexpr ULONG kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
// What opening needs of the options and the rights: that reads and writes wait.
constexpr ULONG kWaits = FILE_SYNCHRONOUS_IO_NONALERT;

// The file `name` in an open folder, and no other: only here can a path be opened relative to one.
Result<OsHandle> OpenIn(const OsHandle& folder, const std::string& name, ACCESS_MASK access,
                        ULONG disposition, ULONG options, PSECURITY_DESCRIPTOR descriptor,
                        const std::string& what) {
  // A stream of a file, or names that Windows would take for something else.
  if (name.find_first_of("\\:*?\"<>|") != std::string::npos) {
    return Error(StatusCode::kInvalidArgument, what + ": a name has a character of \\:*?\"<>|");
  }
  std::wstring wide = std::filesystem::path(name).wstring();
  UNICODE_STRING text{};
  text.Buffer = wide.data();
  text.Length = static_cast<USHORT>(wide.size() * sizeof(wchar_t));
  text.MaximumLength = text.Length;
  OBJECT_ATTRIBUTES attributes{};
  InitializeObjectAttributes(&attributes, &text, OBJ_CASE_INSENSITIVE, folder.get(), descriptor);
  IO_STATUS_BLOCK done{};
  HANDLE file = nullptr;
  const NTSTATUS status =
      NtCreateFile(&file, access | SYNCHRONIZE, &attributes, &done, nullptr, FILE_ATTRIBUTE_NORMAL,
                   kShareAll, disposition, options | kWaits | FILE_OPEN_REPARSE_POINT, nullptr, 0);
  if (status < 0) return Error(SystemError(what, RtlNtStatusToDosError(status)));
  return OsHandle(file);
}

Result<OsHandle> Find(const OsHandle& folder, const std::string& name, ULONG options,
                      const std::string& path) {
  return OpenIn(folder, name, READ_CONTROL | FILE_READ_ATTRIBUTES, FILE_OPEN, options, nullptr,
                "cannot find " + path);
}

// Opens what `found` is, whatever bears its name by now.
Result<OsHandle> Reopen(const OsHandle& found, OpenMode mode, const std::string& path) {
  const DWORD access = mode == OpenMode::kRead ? GENERIC_READ : GENERIC_WRITE;
  const HANDLE file = ReOpenFile(found.get(), access, kShareAll, 0);
  if (file == INVALID_HANDLE_VALUE) {
    return Error(SystemError("cannot open " + path, GetLastError()));
  }
  OsHandle owned(file);
  if (mode == OpenMode::kWrite && !SetEndOfFile(file)) {
    return Error(SystemError("cannot empty " + path, GetLastError()));
  }
  return owned;
}

// Where a path leads: the open folder, and the name of the file in it.
struct Place {
  OsHandle folder;
  std::string folder_path;
  std::string name;
  std::string path() const { return folder_path + "/" + name; }
};

}  // namespace

struct ExportedTree::Root {
  Result<Place> Walk(const Token& caller, const std::string& path) const;
  // OK if it is on this file system.
  Result<BY_HANDLE_FILE_INFORMATION> Examine(const OsHandle& file, const std::string& path) const;
  Result<OsHandle> OpenExisting(const Token& caller, const Place& place, OpenMode mode) const;
  Result<OsHandle> Create(const Token& caller, const Place& place) const;

  OsHandle root;
  DWORD volume;
};

Result<ExportedTree> ExportedTree::Open(const std::string& folder) {
  const HANDLE opened = CreateFileW(std::filesystem::path(folder).c_str(),
                                    READ_CONTROL | FILE_READ_ATTRIBUTES | FILE_TRAVERSE, kShareAll,
                                    nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
  BY_HANDLE_FILE_INFORMATION facts{};
  if (opened == INVALID_HANDLE_VALUE) {
    return Error(SystemError("cannot export " + folder, GetLastError()));
  }
  OsHandle root(opened);
  if (!GetFileInformationByHandle(opened, &facts)) {
    return Error(SystemError("cannot export " + folder, GetLastError()));
  }
  return ExportedTree(std::make_shared<Root>(Root{std::move(root), facts.dwVolumeSerialNumber}));
}

Result<OsHandle> ExportedTree::OpenFor(const Token& caller, const std::string& path,
                                       OpenMode mode) const {
  auto place = root_->Walk(caller, path);
  if (!place) return Error(std::move(place).error());
  auto file = root_->OpenExisting(caller, *place, mode);
  if (file || mode == OpenMode::kRead || file.error().code() != StatusCode::kNotFound) return file;
  return root_->Create(caller, *place);
}

Result<Place> ExportedTree::Root::Walk(const Token& caller, const std::string& path) const {
  auto names = SplitPath(path);
  if (!names) return Error(std::move(names).error());
  auto folder = root.Duplicate();
  std::string folder_path;
  for (size_t i = 0; folder; ++i) {
    auto facts = Examine(*folder, folder_path);
    if (!facts) return Error(std::move(facts).error());
    if ((facts->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
      return Error(StatusCode::kInvalidArgument, folder_path + " is no plain folder");
    }
    Status searched = CheckAccess(caller, *folder, FILE_TRAVERSE, "look into " + folder_path + "/");
    if (!searched.ok()) return Error(std::move(searched));
    if (i + 1 == names->size()) {
      return Place{std::move(*folder), std::move(folder_path), std::move(names->back())};
    }
    folder_path += "/" + (*names)[i];
    folder = Find(*folder, (*names)[i], FILE_DIRECTORY_FILE, folder_path);
  }
  return Error(std::move(folder).error());
}

Result<BY_HANDLE_FILE_INFORMATION> ExportedTree::Root::Examine(const OsHandle& file,
                                                               const std::string& path) const {
  BY_HANDLE_FILE_INFORMATION facts{};
  if (!GetFileInformationByHandle(file.get(), &facts)) {
    return Error(SystemError("cannot look at " + path, GetLastError()));
  }
  if (facts.dwVolumeSerialNumber != volume) {
    return Error(StatusCode::kPermissionDenied, path +
                                                    " is on another file system than the folder "
                                                    "that this server exports");
  }
  return facts;
}

Result<OsHandle> ExportedTree::Root::OpenExisting(const Token& caller, const Place& place,
                                                  OpenMode mode) const {
  auto found = Find(place.folder, place.name, 0, place.path());
  if (!found) return found;
  auto facts = Examine(*found, place.path());
  if (!facts) return Error(std::move(facts).error());
  constexpr DWORD kNotRegular = FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT;
  if ((facts->dwFileAttributes & kNotRegular) != 0 || GetFileType(found->get()) != FILE_TYPE_DISK) {
    return Error(StatusCode::kInvalidArgument, place.path() + " is no regular file");
  }
  const bool reads = mode == OpenMode::kRead;
  Status allowed = CheckAccess(caller, *found, reads ? FILE_GENERIC_READ : FILE_GENERIC_WRITE,
                               (reads ? "read " : "write ") + place.path());
  if (!allowed.ok()) return Error(std::move(allowed));
  return Reopen(*found, mode, place.path());
}

Result<OsHandle> ExportedTree::Root::Create(const Token& caller, const Place& place) const {
  Status allowed =
      CheckAccess(caller, place.folder, FILE_ADD_FILE, "make files in " + place.folder_path + "/");
  if (!allowed.ok()) return Error(std::move(allowed));
  if (!caller.sid()) {
    return Error(StatusCode::kPermissionDenied,
                 "nobody to own " + place.path() + ": the caller's token lacks the user");
  }
  // The caller owns it and has all rights, with nothing inherited from the folder.
  const std::string rights = "O:" + *caller.sid() + "D:P(A;;FA;;;" + *caller.sid() + ")";
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorA(rights.c_str(), SDDL_REVISION_1,
                                                            &descriptor, nullptr)) {
    return Error(SystemError("cannot give " + place.path() + " to its caller", GetLastError()));
  }
  auto file = OpenIn(place.folder, place.name, GENERIC_WRITE, FILE_CREATE, FILE_NON_DIRECTORY_FILE,
                     descriptor, "cannot make " + place.path());
  LocalFree(descriptor);
  return file;
}
