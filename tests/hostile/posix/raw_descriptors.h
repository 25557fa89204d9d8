#pragma once

#include <span>
#include <string_view>

#include "lwmsg/os_handle.h"
#include "tests/hostile/raw_peer.h"

namespace lwmsg::test {

// Writes bytes, and descriptors that ride on the first of them (SCM_RIGHTS, unix(7)),
// unless the other side has hung up.
void WriteWith(const RawPeer& peer, std::string_view bytes, std::span<const OsHandle> handles);
// The same; what sendmsg(2) said, 0 if all went.
int TryToWriteWith(const RawPeer& peer, std::string_view bytes, std::span<const OsHandle> handles);
// In two control messages of one write.
void WriteWithSets(const RawPeer& peer, std::string_view bytes, std::span<const OsHandle> first,
                   std::span<const OsHandle> second);

}  // namespace lwmsg::test
