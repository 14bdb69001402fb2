/* SPDX-License-Identifier: MIT */
/*
 * One block of the pool that is given back and taken again, and whoever uses it meanwhile. docs/transport.md, 10.
 *
 * What holds: the frontend's drivers and the platform's operator never use the block at the same time, and the backend
 * writes nothing there that a chain of the frontend told it to while the operator does; and what the backend takes for
 * an answer to its request was given by a frontend that has done what the request says, in both their present lives.
 * Both sides crash at any point. To publish a batch is one step here, and so is its examination: pages.pml has those.
 * Between that and the commit the backend does other things, such as to ask for something else.
 *
 * ASKS: how often the backend asks for the block. FAILURES: how often it fails at a batch for the pool. FE_RESTARTS,
 * BE_RESTARTS: how often each side crashes. HOSTILE: the frontend gives the block away with a buffer in it.
 */
#define NOTHING 0
#ifndef REMOVED
#define REMOVED NOTHING
#endif
#define without(name) (REMOVED == name)

#define WAITS_FOR_TAKE 1
#define POOL_WAITS 2
#define CHAIN_AGAIN 3
#define LET_GO_FIRST 4
#define LET_GO_AT_MEET 5
#define GIVE_LAST 6
#define TARGET_AT_COMMIT 7
#define ANSWER_FORGOTTEN 8
#define BE_EPOCH_IN_BATCH 9
#define FAILURE_BREAKS 10

#ifndef ASKS
#define ASKS 2
#endif
#ifndef FAILURES
#define FAILURES 0
#endif
#ifndef FE_RESTARTS
#define FE_RESTARTS 1
#endif
#ifndef BE_RESTARTS
#define BE_RESTARTS 1
#endif

#define RESET 1
#define GIVE 2
#define TAKE 3
#define ANSWER 4

#define REFUSED 0
#define OK 1
#define FAILED 2 /* RESULT_NEEDS_RESET: how much was committed, nobody says */

/* Words of the pages: the backend's */
byte be, target, request, ack, result;
/* and the frontend's: its batch, and a buffer in the block that one of its lives has made available */
byte token, kind, of_fe, of_be, entry;
byte available;

byte returned; /* the life whose buffer has come back */
bool drivers; /* of the present life may use the block */
bool operator; /* uses it */
byte fe, fe_restarts, be_restarts, lives, asks, failures;
bool fe_dies, be_dies;
/* The backend's own: the last token examined, the request that it takes for answered. */
byte looked, answered;
byte fresh; /* a token that nobody holds: what a random word is but for one chance in 2^32 */
#define is_answered (request != 0 && answered == request)

/* The drivers of the present life use the block: from the reset's answer on, or from that to a TAKE. */
inline use() {
	drivers = true;
	assert(operator == false)
}

inline publish(what) {
	fresh = 1;
	do
	:: fresh == token || fresh == ack || fresh == looked -> fresh++
	:: else -> break
	od;
	token = fresh; fresh = 0;
	kind = what; of_fe = fe; of_be = with
}

#define acknowledged (ack == token && be == with)
/* Nobody knows what was committed: what the frontend may use is known in its next life only. */
#define is_lost (result == FAILED && !without(FAILURE_BREAKS))

active proctype Frontend() {
	byte with, answers; /* `answers`: the request that this life has answered last */
	bool in_flight;
life:
	{
		d_step {
			fe++; drivers = false; in_flight = false; answers = 0;
			if
			:: without(POOL_WAITS) -> use()
			:: else
			fi
		}
attach:
		if
		:: d_step { be != 0 -> with = be; publish(RESET) }
		fi;
		if
		:: d_step { acknowledged -> use() }
		:: be != with -> goto attach
		fi;
end_running:
		do
		:: d_step { drivers && !in_flight && available != fe -> in_flight = true; available = fe; returned = 0 }
		:: d_step { in_flight && returned == fe -> in_flight = false }
#ifdef HOSTILE
		:: d_step { target && drivers ->
#else
		:: d_step { target && drivers && !in_flight ->
#endif
			drivers = without(GIVE_LAST);
			publish(GIVE)
		   }
			if
			:: d_step { acknowledged && !is_lost -> drivers = result != OK }
			:: acknowledged && is_lost -> goto life
			:: be != with -> goto life
			fi
		:: d_step { !target && !drivers ->
			publish(TAKE);
			if
			:: without(WAITS_FOR_TAKE) -> use()
			:: else
			fi
		   }
			if
			:: d_step { acknowledged && result == OK -> use() }
			:: acknowledged && result != OK && !is_lost
			:: acknowledged && is_lost -> goto life
			:: be != with -> goto life
			fi
		:: d_step { request != answers && drivers == !target -> answers = request; entry = request; publish(ANSWER) }
			if
			:: d_step { acknowledged -> entry = 0 }
			:: d_step { be != with -> entry = 0 }
				goto life
			fi
		:: be != with -> goto life
		od
	} unless {
		d_step { fe_dies -> fe_dies = false; with = 0 };
		goto life
	}
}

/* 10.3: whether the target allows what the batch does. Other entries are always allowed. */
#define allowed(what) ((what) == GIVE -> target && !given : ((what) == TAKE -> !target && given : true))

inline commit() {
	if
	:: doing == GIVE -> given = true
	:: doing == TAKE -> given = false
	:: doing == ANSWER && value == request -> answered = value; assert(given == target)
	:: else
	fi
}

/* 4.4: another life of the frontend has the whole pool. */
inline meet() {
	operator = operator && without(LET_GO_AT_MEET);
	known = of_fe; given = false; out = 0;
	if
	:: !without(ANSWER_FORGOTTEN) -> answered = 0
	:: else
	fi;
	assert(!is_answered || given == target)
}

active proctype Backend() {
	byte known, out, doing, value;
	bool given, valid;
	do
	:: {
		d_step { ack = 0; target = 0; request = 0; lives++; be = lives }
end_idle:
		do
		:: d_step { given && target && !operator -> operator = true; assert(drivers == false) }
		:: atomic { !doing && token != looked ->
			looked = token;
			if
			:: of_be == be || without(BE_EPOCH_IN_BATCH) ->
				if
				:: of_fe != known -> meet()
				:: else
				fi;
				doing = kind; value = entry; valid = allowed(doing)
			:: else
			fi
		   }
		:: d_step { doing != 0 ->
			if
			:: doing == RESET -> out = 0; result = OK
			:: doing != RESET && valid && (allowed(doing) || without(TARGET_AT_COMMIT)) -> commit(); result = OK
			:: else -> result = REFUSED
			fi;
			ack = looked; doing = 0; value = 0; valid = false
		   }
		:: d_step { (doing == GIVE || doing == TAKE) && valid && allowed(doing) && failures < FAILURES ->
			failures++; commit(); result = FAILED;
			ack = looked; doing = 0; value = 0; valid = false
		   }
		:: d_step { (doing == GIVE || doing == TAKE) && failures < FAILURES ->
			failures++; result = FAILED;
			ack = looked; doing = 0; value = 0; valid = false
		   }
		:: d_step { available != 0 && available == known && !out && !given -> out = available; available = 0 }
		:: d_step { out != 0 ->
			/* The answer is written, unless the block lies outside the pool by now. */
			if
			:: !given || without(CHAIN_AGAIN) -> assert(false == operator)
			:: else
			fi;
			returned = out; out = 0
		   }
		:: d_step { asks < ASKS && !target -> asks++; target = 1; request++ }
		:: d_step { target -> operator = operator && without(LET_GO_FIRST); target = 0; request++ }
		od
	   } unless {
		d_step {
			be_dies -> be_dies = false;
			be = 0; looked = 0; known = 0; out = 0; given = false;
			answered = 0; doing = 0; value = 0; valid = false
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
