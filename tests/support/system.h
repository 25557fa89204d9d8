#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lwmsg/os_handle.h"
#include "lwmsg/pair.h"

// What tests need of an operating system. One implementation is built: posix/ or windows/. Unless
// something is said of errors, they end the program.
namespace lwmsg::test {

// Open files. Programs that this one starts do not inherit them.

// Nothing can be read from it.
OsHandle OpenNull();
// Where OpenNull finds it.
std::string NullPath();
// For reading; not valid if there is none.
OsHandle OpenFile(const std::string& path);
// For writing at its end; made if there is none. Each write is one piece, whoever else writes.
OsHandle OpenToAppend(const std::string& path);
// A pipe's reading end from which `content` can be read.
OsHandle FileWith(const std::string& content);

struct OsPipe {
  OsHandle reader;
  OsHandle writer;
};
OsPipe MakeOsPipe();

// At most `size` bytes from where the file stands; fewer only at its end.
std::string ReadSome(const OsHandle& file, size_t size);
// The rest of it.
std::string ReadAll(const OsHandle& file);
// False if not all could be written.
bool WriteAll(const OsHandle& file, std::string_view bytes);
// Where the file stands, in bytes from its beginning.
uint64_t PositionOf(const OsHandle& file);
void SetPosition(const OsHandle& file, uint64_t position);

// Both refer to one and the same file, pipe or device.
bool SameFile(const OsHandle& a, const OsHandle& b);
// Some open file has this number.
bool IsOpen(OsHandle::Native number);
// A number that no open file has, though it could be one.
OsHandle::Native NumberOfNothing();
// Whether programs that this one starts inherit it.
bool IsInherited(OsHandle::Native number);
void MakeInherited(const OsHandle& file);

// Names.

// One that no other test has, on this machine and at this time. A part of a file's name.
std::string NewName();
// The endpoint NAME of a server for other processes that belongs to a folder: the socket file
// unix:FOLDER/NAME, or, where there are none, a pipe whose name is as unique as the folder's.
std::string EndpointIn(const std::string& folder, const std::string& name);
// One of each kind that other processes can connect to.
std::vector<std::string> EndpointsIn(const std::string& folder);
// Something has that name, whether or not it listens.
bool EndpointExists(const std::string& endpoint);
// An endpoint with a name too long for the system.
std::string TooLongEndpoint();
// Listens there without lwmsg, and accepts nobody.
OsHandle ListenPlainly(const std::string& endpoint);
// Makes this end of a connection take little at a time, where that can be told to it.
void LimitBuffer(const OsHandle& end, int bytes);

// This process.

uint32_t OwnProcessId();
// As other processes learn them from the kernel.
std::optional<uint32_t> OwnUser();
std::optional<uint32_t> OwnGroup();
void SetEnvironment(const std::string& name, const std::string& value);
void UnsetEnvironment(const std::string& name);
// Bytes of memory: now, at most so far, and at most so far with what was promised but not used.
size_t MemoryInUse();
size_t PeakMemory();
size_t PeakPromisedMemory();
// How often a stress test does something: `count` times, or fewer where everything takes longer.
int Times(int count);

// MakePair, both ends for this process, which Windows has to be told.
inline Result<std::pair<OsHandle, OsHandle>> MakePairHere() {
  auto pair = MakePair();
  if (!pair) return pair;
  for (const OsHandle* end : {&pair->first, &pair->second}) {
    if (Status status = SetPairPeer(*end, OwnProcessId()); !status.ok()) return Error(status);
  }
  return pair;
}

}  // namespace lwmsg::test
