/* OS handles on Windows, where one process duplicates in both directions: runtime/handle_transfer.h. Each
 * side sends messages with one handle each; either may close the connection, or be killed, between any two
 * steps. Both see the ledger at once, so each access to it is a step of its own. A comment with a function's
 * name says what C++ it stands for. */

#ifndef MESSAGES
#define MESSAGES 2 /* Of each side. */
#endif
#define N (2 * MESSAGES)
#define SLOTS MESSAGES
#define NONE 255
#define OTHER (1 - s)

mtype = { ask, cannot, is_active, is_none, pushed, offered, taken };
chan wire[2] = [N + 4] of { mtype, byte /* of which message */ };
bool hung_up[2]; /* The side's end of the pipe is closed. */
bool dead[2];    /* Its process was killed. */
bool resting;    /* Nobody closes and nobody is killed any more. */

mtype = { unsettled, asked, active_one, passive_one, nobody };
mtype role[2] = unsettled;
bool tried[2];
bool may_duplicate[2];
bool ledger_open[2];  /* HandleTransfer::own_ledger_, whose number the other side was told. */
byte view[2] = NONE;  /* HandleDoor::ledger(): the side whose ledger this side sees. */
byte slot[N];         /* The ledgers: side 0's, side 1's. 0: free, else a handle's number, which is m + 1. */
bool ended_word[2];
byte sent[2];         /* Messages that left the queue. */

/* For each message: the sender's handle, and its duplicate in the receiver's process. */
mtype = { queued, kept, shut, unborn, in_slot, taken_back, pulled, delivered };
mtype original[N] = queued;
mtype duplicate[N] = unborn;
bool wrong[N]; /* The duplicate is of what got the number later. */
/* Who was about to close the duplicate was killed: it stays open, as handle_transfer.h says. */
bool excused[N];

hidden byte i;

/* Each handle is closed once, and by its owner. */
inline pass_original(x, from, to) {
  assert(original[x] == from);
  original[x] = to
}

inline pass_duplicate(x, from, to) {
  assert(duplicate[x] == from);
  duplicate[x] = to
}

/* What the peer does not read any more is nobody's. */
inline put(what, m) {
  if :: hung_up[OTHER] :: else -> assert(nfull(wire[s])); wire[s]!what(m) fi
}

/* HandleTransfer::TryToBeActive */
inline try_to_be_active() {
  tried[s] = true;
  if
#ifdef MUTANT_STALE_LEDGER
  :: may_duplicate[s] && !dead[OTHER] ->
#else
  :: may_duplicate[s] && !dead[OTHER] && ledger_open[OTHER] -> /* By the nonce. */
#endif
    assert(ledger_open[OTHER]); /* Else it is what has got the number since. */
    view[s] = OTHER;
    role[s] = active_one;
    assert(role[OTHER] != active_one);
    put(is_active, 0)
  :: else
  fi
}

/* HandleTransfer::Ask */
inline ask_peer(what) {
  view[s] = s;
  ledger_open[s] = true;
  role[s] = asked;
  put(what, 0)
}

/* HandleTransfer::Control */
inline control(what, m) {
  if
  :: what == ask && role[s] == asked && s == 0 && !tried[s] -> /* OnAsked: the other tries. */
#ifdef MUTANT_BOTH_TRY
    try_to_be_active()
#endif
  :: what == ask && !(role[s] == asked && s == 0 && !tried[s]) ->
    assert(!tried[s] && (role[s] == unsettled || role[s] == asked));
    try_to_be_active();
    if :: role[s] != active_one -> ask_peer(cannot) :: else fi
  :: what == cannot -> /* OnCannot */
    assert(role[s] == asked && !tried[s]);
    try_to_be_active();
    if :: role[s] != active_one -> role[s] = nobody; put(is_none, 0) :: else fi
  :: what == is_active || what == is_none -> /* Settle */
    assert(role[s] == asked);
    if :: what == is_active -> role[s] = passive_one :: else -> role[s] = nobody fi;
    ledger_open[s] = false
  :: what == taken ->
    if :: original[m] == kept -> pass_original(m, kept, shut) :: else fi
  fi
}

/* HandleTransfer::TakeBack, of the slot number k of the peer's ledger: two steps. */
inline take_back(k) {
  atomic {
    held = slot[OTHER * SLOTS + k];
    slot[OTHER * SLOTS + k] = 0;
    if :: held != 0 && !dead[OTHER] -> pass_duplicate(held - 1, in_slot, taken_back) :: else fi
  }
  atomic { /* HandleDoor::CloseTheirs */
    if :: held != 0 && !dead[OTHER] -> pass_duplicate(held - 1, taken_back, shut) :: else fi;
    held = 0
  }
}

inline close_kept() {
  for (i : s * MESSAGES .. s * MESSAGES + MESSAGES - 1) {
    if :: original[i] == kept -> pass_original(i, kept, shut) :: else fi
  }
}

proctype Side(byte s) {
  byte m, k, held;
  mtype what;
  bool failed, peer_has_ended;
  {
end:
    do
    /* PipeStream::Read, FrameReader::Next, HandleTransfer::ReceiveOne */
    :: atomic { wire[OTHER]?what, m ->
        if
        :: what == pushed -> /* TakePushed; only the passive side and an end take out of slots. */
          assert(role[s] == passive_one && slot[s * SLOTS + m % MESSAGES] == m + 1);
          slot[s * SLOTS + m % MESSAGES] = 0;
          pass_duplicate(m, in_slot, delivered);
          what = 0
        :: what == offered -> /* PullOffered: HandleDoor::Pull */
          assert(role[s] == active_one);
          if
          :: dead[OTHER] -> what = 0
          :: else -> pass_duplicate(m, unborn, pulled); wrong[m] = (original[m] == shut)
          fi
        :: else -> control(what, m); what = 0
        fi;
        if :: what == 0 -> m = 0 :: else fi
      }
      if
      :: what == 0
      :: atomic { what != 0 ->
#ifndef MUTANT_PULL_UNSEEN
          if
          :: ended_word[OTHER] -> pass_duplicate(m, pulled, shut)
          :: else ->
#endif
            assert(!wrong[m]);
            pass_duplicate(m, pulled, delivered);
#ifndef MUTANT_PULL_UNSEEN
          fi;
#endif
          put(taken, m);
          what = 0;
          m = 0
        }
      fi

    /* PipeStream::PrepareHandles, HandleTransfer::Send */
    :: atomic { sent[s] < MESSAGES && role[s] != asked ->
        m = s * MESSAGES + sent[s];
        if
        :: role[s] == unsettled -> ask_peer(ask); m = 0
        :: role[s] == nobody -> sent[s]++; pass_original(m, queued, shut); m = 0 /* OnUnsent */
        :: role[s] == passive_one -> sent[s]++; pass_original(m, queued, kept); put(offered, m); m = 0
        :: role[s] == active_one -> /* PushOne: HandleDoor::Push */
          k = m % MESSAGES;
          failed = dead[OTHER];
          if :: failed :: else -> slot[OTHER * SLOTS + k] = m + 1; pass_duplicate(m, unborn, in_slot) fi;
          what = pushed
        fi
      }
      if
      :: what == 0
      :: else ->
#ifndef MUTANT_PUSH_UNSEEN
        if
        :: !failed && ended_word[OTHER] -> take_back(k); failed = true
        :: else
        fi;
#endif
        atomic {
          sent[s]++;
          pass_original(m, queued, shut); /* Or OnUnsent. */
          if :: !failed -> put(pushed, m) :: else fi;
          what = 0; failed = false; m = 0; k = 0
        }
      fi

    :: atomic { (hung_up[OTHER] && empty(wire[OTHER])) || !resting ->
        peer_has_ended = hung_up[OTHER] && empty(wire[OTHER]);
        break
      }
    od;

    /* PipeStream::HangUp. What is queued goes with its message. */
    atomic {
      hung_up[s] = true;
      do
      :: wire[OTHER]?_, _
      :: empty(wire[OTHER]) -> break
      od;
      do
      :: sent[s] < MESSAGES -> pass_original(s * MESSAGES + sent[s], queued, shut); sent[s]++
      :: else -> break
      od
    }
    /* HandleTransfer::End */
#ifdef MUTANT_KEPT_FIRST
    atomic { close_kept() }
#endif
    if :: view[s] == s -> ended_word[s] = true :: else fi;
    do
    :: k == SLOTS || view[s] == NONE || (view[s] == OTHER && !peer_has_ended) -> break
    :: else -> /* SweepSlots */
      if
      :: view[s] == OTHER -> take_back(k)
      :: else ->
        atomic {
#ifndef MUTANT_NO_SWEEP
          held = slot[s * SLOTS + k];
#ifndef MUTANT_SWEEP_LEAVES_NUMBER
          slot[s * SLOTS + k] = 0;
#endif
          if :: held != 0 -> pass_duplicate(held - 1, in_slot, shut) :: else fi;
#endif
          held = 0
        }
      fi;
      k++
    od;
    atomic { close_kept(); k = 0; ledger_open[s] = false }
  } unless { dead[s] }
}

/* The system kills a process, and closes what it has. */
inline kill(s) {
  dead[s] = true;
  hung_up[s] = true;
  for (i : 0 .. N - 1) {
    if :: i / MESSAGES == s && original[i] != shut -> original[i] = shut :: else fi;
    if :: i / MESSAGES != s && duplicate[i] != unborn -> duplicate[i] = shut :: else fi;
    if
    :: i / MESSAGES == s && (duplicate[i] == taken_back || (duplicate[i] == in_slot && ended_word[1 - s])) ->
      excused[i] = true
    :: else
    fi
  }
}

proctype Faults() {
  if
  :: atomic { kill(0) }
  :: atomic { kill(1) }
  :: true
  fi;
  resting = true;
  atomic {
    timeout ->
    assert(hung_up[0] == hung_up[1]);
    for (i : 0 .. N - 1) {
      assert(original[i] == shut || (original[i] == kept && !hung_up[0]));
      assert(duplicate[i] == unborn || duplicate[i] == shut || duplicate[i] == delivered ||
             ((duplicate[i] == taken_back || duplicate[i] == in_slot) && excused[i]))
    }
    assert(hung_up[0] || role[0] == unsettled || role[0] == nobody && role[1] == nobody ||
           role[0] == active_one && role[1] == passive_one || role[0] == passive_one && role[1] == active_one)
  }
}

init {
  atomic {
    if :: may_duplicate[0] = true :: true fi;
    if :: may_duplicate[1] = true :: true fi;
    run Side(0);
    run Side(1);
    run Faults()
  }
}
