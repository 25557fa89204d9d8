/* Calls of two associations over one connection, with an OS handle in each call and in each good reply. A
 * step of a process is one turn of an association's loop, or one act of its user on that loop. */

#include "association.pml"

/* Association::OnMessage and what it calls. What fails here would end the association, and accuse an honest
 * peer. */
inline receive(me) {
  wire[1 - me]?kind, id, tag, status;
  assert(kind == hello || kind == goodbye || kind == end_of_stream || greeted[me]);
  if
  :: kind == hello -> /* OnHello, OnSessionOpen */
    assert(!greeted[me]);
    greeted[me] = true;
    if :: phase[me] == greeting -> phase[me] = open :: else fi;
    if :: me == 1 -> send(me, hello, 0, NONE, ok) :: else fi

  :: kind == call -> /* OnCall */
    find_in(me, id);
    assert(found == NONE);
    if
    :: phase[me] == draining ->
      pass(REQUEST(tag), flight, shut);
      send(me, reply, id, tag, other_error)
    :: else ->
      pass(REQUEST(tag), flight, receiver);
      id_in[tag] = id;
      deadline_in[tag] = timed[tag];
      handler[tag] = running
    fi

  :: kind == reply -> /* OnReply */
    find_out(me, id);
    assert(found != NONE);
    assert(found == tag); /* It is for the call that it meets. */
    assert((status == aborted || status == was_cancelled) == (handler[tag] == dropped));
    assert(status != was_cancelled || timed[tag] || !done[tag]);
    remove_out(me, tag);
    if
#ifdef MUTANT_LATE_REPLY_LEAKS
    :: status == ok && done[tag] -> pass(RESULT(tag), flight, shut)
#else
    :: status == ok -> pass(RESULT(tag), flight, shut) /* Also if nobody waits: LetGo. */
#endif
    :: else
    fi;
#ifdef MUTANT_CLOSES_TWICE
    if :: status == ok && !done[tag] -> pass(RESULT(tag), flight, shut) :: else fi;
#endif
    if :: done[tag] -> done[tag] = false; tell(tag) :: else fi;
    close_if_drained(me)

  :: kind == cancel -> /* OnCancel */
    find_in(me, id);
    if :: found != NONE -> assert(found == tag); cancelled[tag] = true :: else fi

  :: kind == goodbye || kind == end_of_stream -> /* OnGoodbye, OnClosed */
    for (i : 0 .. N - 1) { /* Who drains answers what it has begun. */
      assert(!drained[1 - me] || CALLER(i) != me || id_out[i] == 0 || handler[i] == no_handler)
    }
    end_association(me, false)
  fi
}

/* The loop of one association, and what its user does to it. */
proctype Side(byte me) {
end:
  do
  :: atomic { phase[me] != closed && nempty(wire[1 - me]) -> receive(me) }
  :: atomic { phase[me] != closed && cut -> end_association(me, false) } /* OnClosed */
  /* Close. The destructor is the same, with TellFailed right behind it. */
  :: atomic { phase[me] != closed && !resting -> end_association(me, true) }
  :: atomic { (phase[me] == greeting || phase[me] == open) && !resting -> /* Drain */
      phase[me] = draining;
      close_if_drained(me)
    }
  od
}

/* The IncomingCall goes, and its request with it. */
inline let_go_of_request(c) { pass(REQUEST(c), receiver, shut) }

/* What happens to one call but by frames. */
proctype Call(byte c) {
end:
  do
  /* The caller. */
  :: atomic { !resting && !started[c] && (CALLER(c) == 0 || phase[1] != greeting) -> /* Association::Start */
      started[c] = true;
      pass(REQUEST(c), unborn, sender);
      if
      :: phase[CALLER(c)] == draining || phase[CALLER(c)] == closed -> /* CheckCall, FailLater */
        pass(REQUEST(c), sender, shut);
        failed[c] = true
      :: else ->
        add_out(CALLER(c), c);
        done[c] = true;
        if :: timed[c] = true :: timed[c] = false fi;
        deadline_out[c] = timed[c];
        send_handle(CALLER(c), call, name[c], c, REQUEST(c))
      fi
    }
  :: atomic { !resting && name[c] != 0 -> /* PendingCall::Cancel, Association::Cancel */
      find_out(CALLER(c), name[c]);
      if
      :: found != NONE && done[found] ->
        assert(found == c); /* Not another call that got the id. */
        abandon(CALLER(c), c);
        failed[c] = true
      :: else
      fi
    }
#ifndef MUTANT_NO_DEADLINE
  :: atomic { id_out[c] != 0 && done[c] && deadline_out[c] -> /* OnDeadline */
      abandon(CALLER(c), c);
      tell(c)
    }
#endif
  :: atomic { failed[c] -> failed[c] = false; tell(c) } /* TellFailed */

  /* The callee. */
  :: atomic { id_in[c] != 0 && deadline_in[c] -> /* OnDeadline */
      deadline_in[c] = false;
      cancelled[c] = true
    }
  :: atomic { handler[c] == running -> /* IncomingCall::Reply, Association::Answer */
      handler[c] = replied;
      pass(RESULT(c), unborn, sender);
      find_in(CALLEE(c), name[c]);
      if
      :: found == NONE -> pass(RESULT(c), sender, shut)
      :: else ->
        assert(found == c); /* Not another call that got the id. */
        remove_in(c);
        send_handle(CALLEE(c), reply, name[c], c, RESULT(c));
        close_if_drained(CALLEE(c))
      fi
    }
  :: atomic { handler[c] == running -> /* IncomingCall::Drop, Association::AnswerDropped */
      handler[c] = dropped;
      let_go_of_request(c);
#ifdef MUTANT_DROP_IS_AN_ERROR
      answer_error(CALLEE(c), c, other_error)
#elif !defined(MUTANT_DROP_IS_SILENT)
      if
      :: cancelled[c] -> answer_error(CALLEE(c), c, was_cancelled)
      :: else -> answer_error(CALLEE(c), c, aborted)
      fi
#endif
    }
  :: atomic { handler[c] == running || handler[c] == replied -> /* It throws: RunHandler, Dispatch */
      handler[c] = ended;
      let_go_of_request(c);
      answer_error(CALLEE(c), c, other_error)
    }
  :: atomic { handler[c] == replied -> handler[c] = ended; let_go_of_request(c) }
  :: atomic { handler[c] == running && resting -> handler[c] = keeps }

  /* A message turns out to be unsendable: StreamTransport::TellUnsent, Association::OnUnsent. */
  :: atomic { !resting && unsent_left > 0 && wire[CALLER(c)]??[call, _, eval(c), _] ->
      wire[CALLER(c)]??call, _, eval(c), _;
      unsent_left--;
      pass(REQUEST(c), flight, shut);
      if
      :: phase[CALLER(c)] == closed /* TellUnsent keeps it to itself. */
      :: else ->
        remove_out(CALLER(c), c);
        if :: done[c] -> done[c] = false; tell(c) :: else fi;
#ifndef MUTANT_UNSENT_DOES_NOT_DRAIN
        close_if_drained(CALLER(c))
#endif
      fi
    }
#ifdef MUTANT_DRAIN_LOSES_UNSENT
  :: atomic { !resting && unsent_left > 0 && wire[CALLEE(c)]??[reply, _, eval(c), ok] ->
#else
  /* The C++ does so also when it has drained: README.md. */
  :: atomic { !resting && unsent_left > 0 && !drained[CALLEE(c)] &&
              wire[CALLEE(c)]??[reply, _, eval(c), ok] ->
#endif
      wire[CALLEE(c)]??reply, _, eval(c), ok;
      unsent_left--;
      pass(RESULT(c), flight, shut);
      if
      :: phase[CALLEE(c)] == closed
      :: else -> send(CALLEE(c), reply, name[c], c, other_error)
      fi
    }
  od
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
    assert((phase[0] == closed) == (phase[1] == closed)); /* An end is seen by the other side. */
    for (i : 0 .. N - 1) {
      /* A call has ended, unless it has no deadline, and a handler that never answers. */
      assert(!started[i] || told[i] == 1 ||
             (done[i] && !timed[i] && handler[i] == keeps && phase[0] != closed));
      assert(owner[REQUEST(i)] == unborn || owner[REQUEST(i)] == shut ||
             (owner[REQUEST(i)] == receiver && handler[i] == keeps));
      assert(owner[RESULT(i)] == unborn || owner[RESULT(i)] == shut)
    }
    for (i : 0 .. 1) {
      found = NONE;
      for (j : 0 .. N - 1) {
        if
        :: (CALLER(j) == i && id_out[j] != 0) || (CALLEE(j) == i && id_in[j] != 0) -> found = j
        :: else
        fi
      }
      assert(phase[i] != draining || found != NONE) /* A drained association closes. */
    }
  }
}

init {
  atomic {
    send(0, hello, 0, NONE, ok); /* Association::Start */
    run Side(0);
    run Side(1);
    for (j : 0 .. N - 1) { run Call(j) }
    run Faults()
  }
}
