/* For calls.pml: what two associations know, and their functions. A comment with a function's name says what
 * C++ it stands for. */

#ifndef CALLS0
#define CALLS0 2 /* Made by side 0, which connected. */
#endif
#ifndef CALLS1
#define CALLS1 0 /* Made by side 1, which was connected to. */
#endif
#define N (CALLS0 + CALLS1)
#define CALLER(c) ((c) >= CALLS0)
#define CALLEE(c) ((c) < CALLS0)
#define NONE 255
#define SLOT_BITS 2 /* Of the 16 in outgoing_calls.h. */

mtype = { greeting, open, draining, closed };
mtype phase[2] = greeting; /* Association::State */
bool greeted[2];
bool drained[2];           /* Ended as all calls in hand were answered. */

/* What each side sent and the other has not read: its queue and the kernel's as one. The tag says which call
 * a message is really for; no side looks at it but to be checked. */
mtype = { hello, call, reply, cancel, goodbye, end_of_stream };
mtype = { ok, aborted, was_cancelled, other_error };
chan wire[2] = [10] of { mtype, byte /* id */, byte /* tag */, mtype /* status */ };
/* The connection was lost: nothing more gets in, and what is in may be lost from any place on. */
bool cut;
byte unsent_left = 1; /* How many messages can turn out to be unsendable. */
bool resting;         /* Users and faults do nothing new any more. */

/* For each call, the caller's: what is in OutgoingCalls, in Association::failed_, and in a PendingCall. */
bool started[N];
bool timed[N];        /* Has a deadline. */
byte id_out[N];       /* 0: not in the table. */
bool done[N];         /* Its callback is in the table, ... */
bool failed[N];       /* ...or in failed_. */
byte told[N];         /* How often the callback ran. */
bool deadline_out[N];
byte name[N];         /* What PendingCall and IncomingCall keep, also when the call has ended. */
byte free_ids[2 * N];
byte free_count[2];
byte slot_count[2];

/* The callee's: IncomingCalls, and the handler. It is `running` while it owes an answer; it has `replied` and
 * still runs, on a thread of its own; it `keeps` the call and never answers. */
byte id_in[N];
bool cancelled[N];
bool deadline_in[N];
mtype = { no_handler, running, replied, keeps, dropped, ended };
mtype handler[N] = no_handler;

/* Who owns a handle: the side that sends it, the connection, the message at the receiver; nobody, as the
 * message closed it or a user took it out. */
mtype = { unborn, sender, flight, receiver, shut };
mtype owner[2 * N] = unborn;
#define REQUEST(c) (2 * (c))
#define RESULT(c) (2 * (c) + 1)

hidden byte i, j, found, id, tag, tag2;
hidden mtype kind, status, status2, kind2;

inline pass(h, from, to) {
  assert(owner[h] == from); /* Closed once, and by its owner. */
  owner[h] = to
}

inline tell(c) {
  told[c]++;
  assert(told[c] == 1)
}

/* OutgoingCalls::Find, IncomingCalls::Find */
inline find_out(side, x) {
  found = NONE;
  for (i : 0 .. N - 1) { if :: CALLER(i) == side && id_out[i] == x -> found = i :: else fi }
}

inline find_in(side, x) {
  found = NONE;
  for (i : 0 .. N - 1) { if :: CALLEE(i) == side && id_in[i] == x -> found = i :: else fi }
}

/* OutgoingCalls::Add */
inline add_out(side, c) {
  if
  :: free_count[side] == 0 ->
    name[c] = slot_count[side] | (1 << SLOT_BITS);
    slot_count[side]++
  :: else ->
    free_count[side]--;
    name[c] = free_ids[side * N + free_count[side]];
    free_ids[side * N + free_count[side]] = 0
  fi;
  id_out[c] = name[c]
}

/* OutgoingCalls::Remove. That no id comes twice stands for the serial number in a CallKey, too. */
inline remove_out(side, c) {
#ifdef MUTANT_REUSE_ID
  free_ids[side * N + free_count[side]] = id_out[c];
#else
  free_ids[side * N + free_count[side]] = id_out[c] + (1 << SLOT_BITS);
#endif
  free_count[side]++;
  id_out[c] = 0;
  deadline_out[c] = false
}

inline remove_in(c) {
  id_in[c] = 0;
  cancelled[c] = false;
  deadline_in[c] = false
}

/* Association::Send. What the peer does not take any more is dropped on its way. */
inline send(side, what, x, c, s) {
  if
  :: cut || phase[1 - side] == closed
  :: else -> assert(nfull(wire[side])); wire[side]!what(x, c, s)
  fi
}

inline send_handle(side, what, x, c, h) {
  if
  :: cut || phase[1 - side] == closed -> pass(h, sender, shut)
  :: else -> assert(nfull(wire[side])); wire[side]!what(x, c, ok); pass(h, sender, flight)
  fi
}

/* Association::End, StreamTransport::Close */
inline end_association(side, say_goodbye) {
  phase[side] = closed;
#ifndef MUTANT_ENDS_SILENTLY
  if :: say_goodbye -> send(side, goodbye, 0, NONE, ok) :: else fi;
  send(side, end_of_stream, 0, NONE, ok);
#endif
  do
  :: wire[1 - side]?kind2, _, tag2, status2 ->
    if
    :: kind2 == call -> pass(REQUEST(tag2), flight, shut)
    :: kind2 == reply && status2 == ok -> pass(RESULT(tag2), flight, shut)
    :: else
    fi
  :: empty(wire[1 - side]) -> break
  od;
  for (i : 0 .. N - 1) {
    if
    :: CALLER(i) == side && id_out[i] != 0 ->
      id_out[i] = 0;
      deadline_out[i] = false;
#ifndef MUTANT_END_FORGETS
      if :: done[i] -> tell(i) :: else fi;
#endif
      done[i] = false
    :: CALLEE(i) == side && id_in[i] != 0 -> remove_in(i)
    :: else
    fi;
    free_ids[side * N + i] = 0
  }
  free_count[side] = 0
}

/* Association::CloseIfDrained */
inline close_if_drained(side) {
  if
  :: phase[side] == draining ->
    found = NONE;
    for (j : 0 .. N - 1) {
      if
      :: (CALLER(j) == side && id_out[j] != 0) || (CALLEE(j) == side && id_in[j] != 0) -> found = j
      :: else
      fi
    }
    if :: found == NONE -> drained[side] = true; end_association(side, true) :: else fi
  :: else
  fi
}

/* OutgoingCalls::Abandon, Association::SendCancel: the id stays in use. */
inline abandon(side, c) {
#ifdef MUTANT_CANCEL_FREES_ID
  remove_out(side, c);
#endif
#ifndef MUTANT_CANCEL_KEEPS_CALLBACK
  done[c] = false;
#endif
  deadline_out[c] = false;
  send(side, cancel, name[c], c, ok)
}

/* Association::AnswerError, SendError */
inline answer_error(side, c, s) {
  find_in(side, name[c]);
#ifdef MUTANT_SECOND_ANSWER
  if :: found == NONE && phase[side] != closed -> send(side, reply, name[c], c, s) :: else fi;
#endif
  if
  :: found != NONE ->
    assert(found == c); /* Not another call that got the id. */
    remove_in(c);
    send(side, reply, name[c], c, s);
    close_if_drained(side)
  :: else
  fi
}
