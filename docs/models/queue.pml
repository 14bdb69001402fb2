/* SPDX-License-Identifier: MIT */
/*
 * A queue that is reset alone and set up again while its device runs. docs/transport.md, 6.9.
 *
 * What holds: the backend touches no ring, and no buffer of one, that the frontend has not lent to it, be it to look
 * for a chain, or to answer one that it holds; and a request in a queue that was set up anew is answered, whoever was
 * rung before. Both sides crash at any point, and the device fails while a batch is applied.
 * To publish a batch is one step here, and so is its examination: pages.pml has those. The backend serves between
 * examination, commit and answer. DRIVER_OK comes with the set-up, in one batch behind the reset.
 *
 * REQUESTS: in all. QUEUE_RESETS: how often the frontend resets the queue. FAILURES: how often the device fails at a
 * batch. FE_RESTARTS, BE_RESTARTS: how often each side crashes.
 */
#define NOTHING 0
#ifndef REMOVED
#define REMOVED NOTHING
#endif
#define without(name) (REMOVED == name)

#define WAITS_FOR_RESET 1
#define STOPPED_FIRST 2
#define HELD_DROPPED 3
#define LOOK_WHEN_ENABLED 4
#define RESULT_TOO 5

#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef QUEUE_RESETS
#define QUEUE_RESETS 2
#endif
#ifndef FAILURES
#define FAILURES 1
#endif
#ifndef FE_RESTARTS
#define FE_RESTARTS 1
#endif
#ifndef BE_RESTARTS
#define BE_RESTARTS 1
#endif

/* Batches, whose first entries are */
#define RESET 1 /* Status = 0 */
#define SET_UP 2 /* QueueReady = 1, and DRIVER_OK if it is not there */
#define TAKE_BACK 3 /* QueueReset = 1 */
#define RENEW 4 /* both of these */

#define REFUSED 0
#define OK 1
#define FAILED 2 /* RESULT_NEEDS_RESET */

/* Words of the pages: the backend's; `is_reset`: +8 of the queue's in DEV_QUEUES */
byte be, ack, result;
bool is_reset, needs_reset;
/* and the frontend's: its batch, with the ring that it sets up */
byte token, kind, of_fe, of_be, entry;

/* A ring is known by its number. Those from `first` to `last` are lent to the backend, their buffers with them. */
byte first = 1, last;
#define is_lent(ring) ((ring) >= first && (ring) <= last)
byte available, used; /* the ring in which a request waits, in which the last answer lies */
bool rung;

byte fe, lives, fe_restarts, be_restarts, requests, queue_resets, failures;
bool fe_dies, be_dies;
byte looked; /* the last token that the backend has examined */
byte fresh; /* a token that nobody holds */

inline publish(what) {
	fresh = 1;
	do
	:: fresh == token || fresh == ack || fresh == looked -> fresh++
	:: else -> break
	od;
	token = fresh; fresh = 0;
	kind = what; entry = last; of_fe = fe; of_be = with
}

#define acknowledged (ack == token && be == with)
/* The word alone says nothing of a device that has failed: it may hold chains. */
#define is_ours (result == OK || (without(RESULT_TOO) && is_reset))

active proctype Frontend() {
	byte with;
	bool waits;
life:
	{
		d_step { fe++; waits = false }
attach:
		waits = false;
		if
		:: d_step { be != 0 -> with = be; publish(RESET) }
		fi;
		if
		:: d_step { acknowledged && result == OK -> first = last + 1; available = 0; used = 0 }
		:: acknowledged && result != OK -> goto life
		:: be != with -> goto life
		fi;
set_up:
		/* The ring is initialised before it is lent, and filled before it is looked at. */
		if
		:: d_step { last++; publish(SET_UP) }
		fi;
		do
		:: d_step { !waits && requests < REQUESTS -> requests++; available = last; waits = true }
			rung = true
		:: acknowledged && result == OK -> break
		:: acknowledged && result != OK -> goto attach
		:: be != with -> goto life
		od;
end_running:
		do
		:: d_step { !waits && requests < REQUESTS -> requests++; available = last; waits = true }
			rung = true
		:: waits ->
			if
			:: d_step { used == last -> waits = false; used = 0 }
			:: queue_resets < QUEUE_RESETS
			:: needs_reset || be != with
			fi
		:: d_step { queue_resets < QUEUE_RESETS -> queue_resets++; publish(TAKE_BACK) }
			if
			:: without(WAITS_FOR_RESET) -> first = last + 1
			:: else
			fi;
			if
			:: d_step { acknowledged && is_ours -> first = last + 1; waits = false; available = 0; used = 0 }
				if
				:: result == OK -> goto set_up
				:: else -> goto attach
				fi
			:: acknowledged && !is_ours -> goto attach
			:: be != with -> goto life
			fi
		:: d_step { queue_resets < QUEUE_RESETS -> queue_resets++; last++; publish(RENEW) }
			if
			:: d_step { acknowledged && result == OK -> first = last; waits = false; available = 0; used = 0 }
			:: acknowledged && result != OK -> goto attach
			:: be != with -> goto life
			fi
		:: needs_reset -> goto attach
		:: be != with -> goto life
		od
	} unless {
		d_step { fe_dies -> fe_dies = false; with = 0 };
		goto life
	}
}

/* The device gives up the ring that it serves, and the chain of it that it holds. */
inline stop() {
	serving = 0;
	if
	:: !without(HELD_DROPPED) || doing == RESET -> out = 0
	:: else
	fi
}

inline commit() {
	if
	:: doing == RESET -> needs_reset = false; is_reset = false; stop()
	:: doing == SET_UP -> serving = value; is_reset = false; looks = looks || !without(LOOK_WHEN_ENABLED)
	:: doing == TAKE_BACK -> is_reset = true;
		if
		:: !without(STOPPED_FIRST) -> stop()
		:: else
		fi
	:: doing == RENEW -> stop(); serving = value; looks = looks || !without(LOOK_WHEN_ENABLED)
	fi
}

inline answer(what) {
	result = what; ack = looked; doing = 0; value = 0
}

active proctype Backend() {
	byte known, serving, out, doing, value;
	bool looks;
	do
	:: {
		d_step { ack = 0; is_reset = false; needs_reset = false; lives++; be = lives }
end_idle:
		do
		:: d_step { !doing && token != looked ->
			looked = token;
			if
			:: of_be == be ->
				if
				:: of_fe != known -> known = of_fe; serving = 0; out = 0; needs_reset = false
				:: else
				fi;
				doing = kind; value = entry
			:: else
			fi
		   }
		:: d_step { doing != 0 ->
			if
			:: needs_reset && doing != RESET -> answer(FAILED)
			:: else -> commit(); answer(OK)
			fi
		   }
		/* It fails when the page shows the batch committed already, and lets go of nothing (4.5). */
		:: d_step { doing == TAKE_BACK && !needs_reset && failures < FAILURES ->
			failures++; is_reset = true; needs_reset = true; serving = 0; answer(FAILED)
		   }
#if REMOVED == STOPPED_FIRST
		:: d_step { is_reset && serving -> serving = 0; out = 0 }
#endif
		:: rung -> d_step { rung = false; looks = true }
		:: d_step { looks ->
			looks = false;
			if
			:: serving && !needs_reset ->
				assert(is_lent(serving));
				if
				:: available == serving && !out -> out = serving; available = 0
				:: else
				fi
			:: else
			fi
		   }
		:: d_step { out != 0 -> assert(is_lent(out)); used = out; out = 0 }
		od
	   } unless {
		d_step {
			be_dies -> be_dies = false;
			be = 0; looked = 0; known = 0; serving = 0; out = 0; doing = 0; value = 0; looks = false; needs_reset = false
		}
	   }
	od
}

active proctype Fate() {
end:
	do
	:: atomic { fe_restarts < FE_RESTARTS -> fe_restarts++; fe_dies = true }
	:: atomic { be_restarts < BE_RESTARTS -> be_restarts++; be_dies = true }
	od
}
