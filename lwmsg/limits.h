#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace lwmsg {

// What the kernel lets through in one message (SCM_MAX_FD, unix(7)), whatever the limits say.
constexpr uint16_t kMaxFrameHandles = 253;

// Every bound that lwmsg keeps, with its default and the attack or accident that it stops. A limit
// that hits gives a status that names it and its value. Copied when an object is made; later
// changes have no effect on that object.
struct Limits {
  // Largest message taken, in bytes without its header. Refused before memory is taken for it.
  uint32_t max_frame_bytes = 1 << 20;
  // OS handles in one message; at most kMaxFrameHandles. Stops descriptor floods.
  uint16_t max_frame_handles = 16;
  // Depth of nested structs and lists in a message. Stops stack exhaustion.
  uint16_t max_nesting = 32;
  // Calls from one peer that wait for their reply. Further ones are answered kResourceExhausted.
  uint32_t max_calls = 128;
  // One-way calls of one peer that their handlers still have in hand. Further ones are dropped,
  // with a line in the log.
  uint32_t max_oneway_calls = 128;
  // Calls in a row that cannot be carried out, as no such method or object is there or they break
  // their schema. Each is answered; beyond, the association ends. Stops a peer that guesses.
  uint32_t max_bad_calls = 1000;
  // Session objects of one association (`Handle(T)`). Stops a peer that opens and never closes.
  uint32_t max_objects = 1024;
  // Bytes of peers' shared memory that one association keeps mapped (`SharedMemory`): its pools,
  // and the largest memory of a message's own. Stops a peer that would fill the address space.
  size_t max_shared_bytes = size_t{256} << 20;
  // On a server: bytes of messages that all peers of one user sent to one loop, from their header
  // on and for as long as a handler keeps the call, also behind the end of its connection. Beyond,
  // a message that is begun waits in the kernel for room, unless it is the only one; a call that
  // is there already is refused. Stops peers that send what they never finish, or what is kept.
  size_t max_received_bytes = size_t{16} << 20;
  // On a server: OS handles in messages that all peers of one user sent to one loop, out of which
  // no handler has taken them (`Take`); no more than an eighth of what this process may open, no
  // less than max_frame_handles. Beyond, a call that brings some is refused, and the association
  // ends of a message that brings some and is not whole, or comes before it can be handed out. As
  // many, but no more than 256, may wait to be closed: until there are fewer, nothing more is read
  // from that user's peers. Stops peers that send what nobody takes, or what takes long to close.
  size_t max_received_handles = 1024;
  // Bytes queued for a peer that does not read; on a server, for all peers of its user whose
  // associations share a loop. Beyond, the association ends for which more is to be queued.
  size_t max_queued_bytes = size_t{16} << 20;
  // Messages, counted in the same way; each takes some KiB of memory, however small it is. Beyond,
  // the association ends.
  size_t max_queued_messages = 16'384;
  // OS handles in replies and items that are queued, counted in the same way: this process keeps
  // them open. Beyond, the call fails. Stops a peer that asks for descriptors and takes none.
  size_t max_queued_handles = 64;
  // Associations of one server at a time; fewer, and a line in the log, where RLIMIT_NOFILE leaves
  // no room for so many (two descriptors each, of three quarters). Further clients wait in the
  // backlog of the listening socket; a peer beyond it that was adopted is told and cut.
  uint32_t max_associations = 4096;
  // Of these, for peers of one user other than the server's own (who could end the server anyway);
  // and never more than are left free for others, so that one more user can always come. All
  // unknown users are one. Beyond, a client is told and cut. Stops a user who takes all places.
  uint32_t max_user_associations = 128;
  // At max_associations, and only there: how long an association without calls in hand and without
  // session objects must have been silent before the server may end it to let a waiting client in.
  std::chrono::milliseconds idle_timeout{10'000};
  // How long a peer may take to say hello, and a client to reach a server whose backlog is full.
  std::chrono::milliseconds hello_timeout{5'000};
  // How long a message that has begun to come may take until it is whole, while this side reads.
  // Zero: as long as it likes. Stops a peer that makes this side keep what is never finished. Also
  // how long what there is no room for (max_received_bytes, max_received_handles) outlives a peer
  // that hung up.
  std::chrono::milliseconds frame_timeout{10'000};
  // How long queued bytes may make no progress. Stops a peer that stopped reading.
  std::chrono::milliseconds send_timeout{30'000};
  // Deadline of a call that sets none, so that no caller hangs. Zero: none.
  std::chrono::milliseconds call_timeout{30'000};
};

}  // namespace lwmsg
