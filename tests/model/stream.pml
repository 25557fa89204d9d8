/* One stream: items, credit, and everything that can end it, at any moment. The number of items is not
 * bounded. Side 0 calls, side 1 is called. One item of a run, any one, carries an OS handle. A comment with
 * a function's name says what C++ it stands for. */

#define WINDOW 3 /* MethodInfo::window */
#define MODULO 8 /* Items are counted modulo this: 2^32 on the wire. */

mtype = { call, item, reply_ok, reply_error, credit, cancel, end_of_stream };
chan down = [2 * WINDOW + 4] of { mtype, byte }; /* To the callee. */
chan up = [WINDOW + 4] of { mtype, byte, byte };  /* To the caller; last: whether the handle is in it. */
/* The connection was lost: nothing more gets in, and what is in may be lost from any place on. */
bool cut;
bool closed[2]; /* Association::state() is kClosed. */
bool timed;     /* The call has a deadline. */
bool resting;   /* Users and faults do nothing new any more. */

/* The caller: its entry in OutgoingCalls, its callback in Association::failed_, and StreamState. */
bool started, known_out, done, deadline_out, failed;
byte credit_out, items_out, read;
byte told;                             /* How often the callback ran; from then on StreamState::end is set. */
chan items = [WINDOW + 1] of { byte }; /* StreamState::items */
bool stream_gone;

/* The callee: its entry in IncomingCalls, and the handler, a coroutine that sends while there is room. */
bool known_in, cancelled, deadline_in, on_credit;
byte credit_in, items_in;
mtype = { no_handler, runs, waits, keeps, over };
mtype handler = no_handler;

/* What is checked, and no side knows. */
byte owed;      /* Items that were sent, less the credit that was given beyond the window. */
bool lost_item; /* One could not be sent. */
mtype = { unborn, sender, flight, receiver, shut };
mtype owner = unborn; /* Of the handle: side 1, the connection, the message at side 0, nobody or its user. */

hidden byte number, handle;
hidden mtype kind;

inline pass(from, to) {
  assert(owner == from); /* Closed once, and by its owner. */
  owner = to
}
inline shut_handle(from) { if :: handle -> pass(from, shut) :: else fi }

/* Association::Send. What the peer does not take any more is dropped on its way. */
inline send_down(what, x) { if :: cut || closed[1] :: else -> assert(nfull(down)); down!what(x) fi }
inline send_up(what, x) { if :: cut || closed[0] :: else -> assert(nfull(up)); up!what(x, false) fi }

inline tell() { told++; assert(told == 1) }

/* IncomingCalls::Waiters::Tell */
inline tell_waiters() { if :: on_credit -> on_credit = false; handler = runs :: else fi }

inline forget_in() { known_in = false; cancelled = false; deadline_in = false; credit_in = 0; items_in = 0 }
inline forget_out() { known_out = false; done = false; deadline_out = false; credit_out = 0; items_out = 0 }

/* Association::End, of either side */
inline end_caller() {
  closed[0] = true;
  send_down(end_of_stream, 0);
  do
  :: up?kind, number, handle -> shut_handle(flight)
  :: empty(up) -> break
  od;
  if :: known_out && done -> tell() :: else fi;
  forget_out()
}

inline end_callee() {
  closed[1] = true;
  send_up(end_of_stream, 0);
  do
  :: down?kind, number
  :: empty(down) -> break
  od;
  forget_in();
#ifndef MUTANT_END_WAKES_NOBODY
  tell_waiters()
#endif
}

/* OutgoingCalls::Abandon, Association::SendCancel */
inline abandon() {
  done = false; deadline_out = false;
  send_down(cancel, 0)
}

/* Association::AnswerError */
inline answer_error() { if :: known_in -> forget_in(); send_up(reply_error, 0) :: else fi }

/* The loop of the caller's association, and what its user does to it and to the Stream. */
proctype Caller() {
end:
  do
  :: atomic { !closed[0] && !resting && !started ->
      started = true; known_out = true; done = true; credit_out = WINDOW;
      if :: timed = true :: timed = false fi;
      deadline_out = timed;
      send_down(call, 0)
    }
  :: atomic { !closed[0] && nempty(up) ->
      up?kind, number, handle;
      if
      :: kind == item -> /* OnItem. What fails here ends the association, and accuses an honest peer. */
        assert(known_out && credit_out > 0);
        credit_out--;
        items_out = (items_out + 1) % MODULO;
        if
        :: done && !stream_gone -> items!handle; if :: handle -> pass(flight, receiver) :: else fi
        :: else -> shut_handle(flight) /* LetGo */
        fi
      :: kind == reply_ok || kind == reply_error -> /* OnReply */
        assert(known_out);
        if :: done -> tell() :: else fi;
#ifndef MUTANT_NO_COUNT
        if :: items_out != number -> kind = reply_error :: else fi; /* CheckItems */
#endif
        assert(kind != reply_ok || !lost_item); /* A good end says that all items came. */
        forget_out()
      :: kind == end_of_stream -> end_caller() /* OnGoodbye, OnClosed */
      fi
    }
  :: atomic { !closed[0] && cut -> end_caller() }
  :: atomic { !closed[0] && !resting -> end_caller() } /* Close */
  :: atomic { started && !stream_gone && !resting -> /* Stream::~Stream, Association::Cancel */
      stream_gone = true;
      read = 0;
      do
      :: items?handle -> shut_handle(receiver)
      :: empty(items) -> break
      od;
      if :: known_out && done -> abandon(); failed = true :: else fi
    }
  :: atomic { failed -> failed = false; tell() } /* TellFailed */
  od
}

/* Who reads the Stream, and at some time perhaps does not want more. */
proctype Reader() {
end:
  do
  :: atomic { nempty(items) -> /* StreamState::TakeNext */
      items?handle;
      shut_handle(receiver); /* By the user. */
      read++;
      if
#ifdef MUTANT_LATE_CREDIT
      :: read > WINDOW && told == 0 ->
#else
      :: read > WINDOW / 2 && told == 0 ->
#endif
        if
        :: known_out && done -> /* Association::GiveCredit */
          credit_out = credit_out + read;
          owed = owed - read;
          send_down(credit, read)
        :: else
        fi;
        read = 0
      :: told != 0 -> read = 0 /* Counts no more. */
      :: else
      fi
    }
  :: !resting -> break
  od
}

/* Association::OnDeadline, of either side; processes of their own, so that fairness means them. */
proctype CallersClock() {
end:
  do
  :: atomic { known_out && done && deadline_out -> abandon(); tell() }
  od
}

proctype CalleesClock() {
end:
  do
  :: atomic { known_in && deadline_in -> deadline_in = false; cancelled = true; tell_waiters() }
  od
}

/* The loop of the callee's association, and what its user does to it. */
proctype Callee() {
end:
  do
  :: atomic { !closed[1] && nempty(down) ->
      down?kind, number;
      if
      :: kind == call -> /* OnCall */
        known_in = true; credit_in = WINDOW; deadline_in = timed; handler = runs
      :: kind == credit && known_in -> /* OnCredit */
        assert(credit_in + number <= WINDOW);
        credit_in = credit_in + number;
        tell_waiters()
      :: kind == cancel && known_in -> /* OnCancel, IncomingCalls::MarkCancelled */
        cancelled = true;
#ifndef MUTANT_CANCEL_WAKES_NOBODY
        tell_waiters()
#endif
      :: kind == end_of_stream -> end_callee()
      :: else
      fi
    }
  :: atomic { !closed[1] && cut -> end_callee() }
  :: atomic { !closed[1] && !resting -> end_callee() }
  od
}

proctype Handler() {
end:
  do
#ifdef MUTANT_NO_CREDIT_CHECK
  :: atomic { handler == runs && known_in && !cancelled -> /* Association::SendItem */
#else
  :: atomic { handler == runs && known_in && !cancelled && credit_in > 0 -> /* Association::SendItem */
      credit_in--;
#endif
      items_in = (items_in + 1) % MODULO;
      owed++;
      assert(owed <= WINDOW);
      if
      :: owner == unborn -> handle = true; owner = sender
      :: handle = false
      fi;
      if
      :: cut || closed[0] -> shut_handle(sender)
      :: else -> assert(nfull(up)); up!item(0, handle); if :: handle -> pass(sender, flight) :: else fi
      fi
    }
  :: atomic { handler == runs && credit_in == 0 && !cancelled && !closed[1] -> /* StreamCall::Ready */
      if
      :: known_in -> handler = waits; on_credit = true /* SetOnCredit */
#ifdef MUTANT_READY_FORGETS
      :: else -> handler = waits
#else
      :: else -> handler = over
#endif
      fi
    }
  :: atomic { handler == runs -> handler = over; answer_error() } /* Fail, or drops the call. */
  :: atomic { handler == runs -> handler = over; /* Finish, Association::Answer */
      if :: known_in -> send_up(reply_ok, items_in); forget_in() :: else fi
    }
  :: atomic { handler == runs && resting -> handler = keeps } /* Neither sends nor ends. */
  od
}

/* What may go wrong, and when nobody does anything new any more: what must hold in the end. */
proctype Faults() {
  do
  :: cut = true
  :: atomic { up??[item, _, true] ->
      up??item, _, true; /* StreamTransport::TellUnsent, Association::OnUnsent */
      pass(flight, shut);
      lost_item = true;
      if
      :: known_in && !closed[1] ->
#ifdef MUTANT_UNSENT_KEEPS_CALL
        send_up(reply_error, 0);
#else
        answer_error();
#endif
#ifndef MUTANT_UNSENT_WAKES_NOBODY
        tell_waiters()
#endif
      :: else
      fi
    }
  :: break
  od;
  resting = true;
  atomic {
    timeout ->
    assert(closed[0] == closed[1]); /* An end is seen by the other side. */
    assert(!started || told == 1 || (!timed && (handler == keeps || handler == waits)));
    /* A handler waits only while the reader has not read. */
    assert(handler != waits || (known_in && !cancelled && nempty(items)));
    assert(owner == unborn || owner == shut || (owner == receiver && nempty(items)))
  }
}

init {
  atomic {
    run Caller();
    run Reader();
#ifndef MUTANT_NO_DEADLINE
    run CallersClock();
#endif
    run CalleesClock();
    run Callee();
    run Handler();
    run Faults()
  }
}

#define MUST_END (timed || cut || closed[0] || closed[1])
ltl ends { [] (started && MUST_END -> <> (told == 1)) }
ltl wakes { [] (handler == waits && MUST_END -> <> (handler != waits)) }
