/* How two associations begin: hello, a session that opens later, and calls by another schema, which hold up
 * what is behind them until the schema has come. What is checked is order, and that nothing waits for ever or
 * is lost without need. A comment with a function's name says what C++ it stands for. */

#ifndef CALLS
#define CALLS 3 /* Of each side. */
#endif
#define OTHER (1 - s)

mtype = { hello, oneway, call, describe, description, goodbye, end_of_stream };
chan wire[2] = [CALLS + 6] of { mtype, byte /* which call of its side */ };
/* The connection was lost: nothing more gets in, and what is in may be lost from any place on. */
bool cut;
bool resting; /* Users and faults do nothing new any more. */

/* Association, for each side. */
bool closed[2];
bool greeted[2];
bool said_hello[2];
bool holding[2];
bool asked[2];
bool lost[2];      /* The connection, while something was held. */
chan held[2] = [CALLS + 3] of { mtype, byte };
mtype = { undecided, opened, refused };
mtype session = undecided; /* Of side 1, in whose hands the constructor of the session is. */
bool foreign[2];           /* Side 1 - s has another schema of what side s calls... */
bool understood[2];        /* ...and knows by now that they are compatible. */

/* What is checked. */
byte sent[2];
byte dispatched[2];
bool is_oneway[2 * CALLS];

hidden byte n, m, first;
hidden mtype kind;

/* Association::Send */
inline send(what, x) {
  if :: cut || closed[OTHER] :: else -> assert(nfull(wire[s])); wire[s]!what(x) fi
}

/* Association::End */
inline end_association(say_goodbye) {
  closed[s] = true;
  if :: say_goodbye -> send(goodbye, 0) :: else fi;
  send(end_of_stream, 0);
  do
  :: wire[OTHER]?_, _
  :: held[s]?_, _
  :: empty(wire[OTHER]) && empty(held[s]) -> break
  od;
  holding[s] = false;
  asked[s] = false;
  lost[s] = false
}

/* The peer has ended. What it queued before still counts, if it can be understood: README.md. */
inline peer_has_ended() {
  if
  :: !cut && !foreign[OTHER] ->
    for (m : dispatched[s] .. sent[OTHER]) {
      assert(m >= sent[OTHER] || !is_oneway[OTHER * CALLS + m])
    }
  :: else
  fi;
  end_association(false)
}

/* Association::OnMessage, of what is not held; what is not done with stays the first of `held`. */
inline on_message() {
  first = 0;
  if
  :: kind == goodbye -> peer_has_ended() /* OnGoodbye */
  :: kind == hello -> /* OnHello. What fails here ends the association, and accuses an honest peer. */
    assert(!greeted[s]);
    greeted[s] = true;
    if :: s == 1 && session == undecided -> holding[s] = true :: else fi /* JoinSession */
  :: kind == oneway || kind == call -> /* OnCall */
    assert(greeted[s]);
    assert(n == dispatched[s]); /* In the order in which they were sent. */
    if
    :: foreign[OTHER] && !understood[OTHER] -> /* AskForSchema */
      asked[s] = true;
      holding[s] = true;
      first = 1;
      send(describe, 0)
    :: else ->
      assert(s == 0 || session == opened);
      dispatched[s]++
    fi
  fi
}

/* Association::OnClosed */
inline on_closed() {
#ifdef MUTANT_LOSS_FORGETS_HELD
  peer_has_ended()
#else
  if
  :: !asked[s] && held[s]??[oneway, _] -> lost[s] = true
  :: asked[s] || !(held[s]??[oneway, _]) -> peer_has_ended()
  fi
#endif
}

/* Association::OnFrame */
inline on_frame() {
  wire[OTHER]?kind, n;
  if
  :: kind == end_of_stream -> on_closed()
#ifndef MUTANT_DESCRIBE_IS_HELD
  :: kind == describe -> assert(greeted[s]); send(description, 0) /* OnDescribe */
#else
  :: kind == describe && !holding[s] -> send(description, 0)
  :: kind == describe && holding[s] -> held[s]!kind(n)
#endif
  :: kind == description -> /* OnDescription */
    assert(asked[s]);
    asked[s] = false;
    holding[s] = false;
    understood[OTHER] = true
  :: kind != end_of_stream && kind != describe && kind != description ->
    if
#ifdef MUTANT_OVERTAKES_HELD
#define HOLDS (holding[s] || (s == 1 && len(held[s]) != 0))
#elif defined(MUTANT_NO_HOLD)
#define HOLDS (asked[s] || len(held[s]) != 0)
#else
#define HOLDS (holding[s] || len(held[s]) != 0) /* Association::resuming: README.md */
#endif
    :: HOLDS -> assert(nfull(held[s])); held[s]!kind(n)
    :: !HOLDS ->
      on_message();
      if :: first == 1 -> held[s]!kind(n) :: else fi
    fi
  fi
}

/* The loop of one association, and what its user does to it. */
proctype Side(byte s) {
end:
  do
  :: atomic { !closed[s] && nempty(wire[OTHER]) && !lost[s] -> on_frame() }
  :: atomic { !closed[s] && !holding[s] && nempty(held[s]) -> /* Resume */
      held[s]?<kind, n>;
#ifdef MUTANT_DESCRIBE_IS_HELD
      if :: kind == describe -> send(description, 0); first = 0 :: else -> on_message() fi;
#else
      on_message();
#endif
      if :: !closed[s] && first == 0 -> held[s]?_, _ :: else fi
    }
  :: atomic { !closed[s] && lost[s] && !holding[s] && empty(held[s]) -> peer_has_ended() }
  :: atomic { !closed[s] && lost[s] && asked[s] -> end_association(true) } /* hello_timer_: nobody answers. */
  :: atomic { !closed[s] && !lost[s] && cut -> on_closed() }
  :: atomic { !closed[s] && !resting -> end_association(true) } /* Close */

#ifdef MUTANT_CALLS_BEFORE_HELLO
  :: atomic { !closed[s] && !resting && sent[s] < CALLS -> /* Association::Post, Start */
#else
  :: atomic { !closed[s] && !resting && sent[s] < CALLS && said_hello[s] -> /* Association::Post, Start */
#endif
      if
      :: kind = oneway; is_oneway[s * CALLS + sent[s]] = true
      :: kind = call
      fi;
      send(kind, sent[s]);
      sent[s]++
    }
  od
}

/* NewSession::Answer, Association::OnSessionOpen; the constructor may also answer never. */
proctype Session() {
  byte s = 1;
  atomic {
    greeted[1] && !resting ->
    if
    :: closed[1] -> session = refused
    :: !closed[1] -> session = refused; end_association(true)
    :: !closed[1] ->
      session = opened;
      said_hello[1] = true;
      send(hello, 0);
      holding[1] = false
    fi
  } unless { resting && session == undecided }
}

/* What may go wrong, and when nobody does anything new any more: what must hold in the end. */
proctype Faults() {
  if
  :: cut = true
  :: true
  fi;
  resting = true;
  atomic {
    timeout ->
    assert(!asked[0] && !asked[1]); /* A question has its answer. */
    assert(!holding[0] && (!holding[1] || session == undecided));
    assert(closed[0] == closed[1] || (lost[1] && session == undecided));
    assert(closed[0] || !greeted[0] || dispatched[0] == sent[1]);
    assert(closed[1] || session != opened || dispatched[1] == sent[0])
  }
}

init {
  byte s = 0;
  atomic {
    if :: foreign[0] = true :: true fi;
    if :: foreign[1] = true :: true fi;
    said_hello[0] = true;
    send(hello, 0); /* Association::Start */
    run Side(0);
    run Side(1);
    run Session();
    run Faults()
  }
}
