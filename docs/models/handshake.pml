/* SPDX-License-Identifier: MIT */
/*
 * The handshake: a device is reset and brought to DRIVER_OK by batches. docs/transport.md, 4 and 5.
 *
 * The frontend may lose patience (deadline, 4.7) and the backend may restart, at any point; the backend may refuse
 * features, and a device may need a reset. What holds: an accepted answer is the backend's to this very batch, no batch
 * is applied torn or in another life than it is meant for, DRIVER_OK is reached with agreed features only, both sides
 * agree on the status, and nobody waits for ever.
 *
 * RESTARTS: of the backend. GIVE_UPS: of the frontend. FAULTS: devices that need a reset, and refused features.
 * ONE_BATCH: features and queues share a batch (CAP_ANY_SUBSET).
 *
 * DEVICE_FAILS: how often the device fails by itself: at what a batch asks of it, of which nothing or everything was
 * done by then; between two slices of a batch; or later. Then the frontend resets it in the life that it has (7.1), and
 * nobody takes a device for one that runs, for ever, while it does not. DEV_RESULT_INDEX follows from the result (0, or
 * the one entry that sets FEATURES_OK) and is left out.
 */
#ifndef RESTARTS
#define RESTARTS 1
#endif
#ifndef GIVE_UPS
#define GIVE_UPS 1
#endif
#ifndef FAULTS
#define FAULTS 1
#endif

byte restarts, give_ups, faults;
bool be_dies;
#define IMPATIENT give_ups < GIVE_UPS -> give_ups++; goto life
#define OWNS(n) false

/* Statuses, and answers: result and status. Result 0 is never an answer. */
#define NEEDS_RESET 4
#define FEATURES_OK 1
#define DRIVER_OK 2
#define OK 8
#define VETO 16
#define REFUSED 24 /* RESULT_NEEDS_RESET */
#define result_in(answer) ((answer) & 24)
#define status_in(answer) ((answer) & 7)
#define DRIVERS (FEATURES_OK | DRIVER_OK)

#ifdef DEVICE_FAILS
byte failures;
byte fails; /* how the device will fail at the batch that was examined */
#define AT_ONCE 1 /* nothing was committed */
#define AT_LAST 2 /* everything was */
byte count; /* the frontend's copy of DEV_CONFIG_COUNT */
byte now; /* what the backend stores next */
#define TURN turn();
#define LAST_TURN last_turn();
#define may_fail (failures < DEVICE_FAILS && !(status & NEEDS_RESET))
/* It may have failed after the answer: REG_STATUS is stored then, too. */
#define said_to(answer) (answer == committed_answer || answer == (committed_answer | NEEDS_RESET))
#define REFUSED_GOES_TO attach /* 7.1: the device is reset; the life goes on */
#else
#define REFUSED_GOES_TO life
#endif

#include "pages.pml"

byte status; /* of the device, as the backend keeps it */
byte agreed; /* as the frontend keeps it */
bool vetoes; /* the backend will refuse the features of this batch */

#ifdef DEVICE_FAILS
/* The word as the backend has stored it last, whether that has landed or not. */
#ifdef WEAK
#define own(word) (landing[word] -> stored[word] : memory[word])
#else
#define own(word) memory[word]
#endif

inline fail() {
	failures++; status = status | NEEDS_RESET
}

/* 7.1: what a device that needs a reset does at once, whatever batch is under way. */
inline tell_failure() {
	now = result_in(own(ANSWER)) | status;
	store(ANSWER, now);
	if
	:: status & DRIVER_OK && !without(FAILURE_TOLD) ->
		release(BE, COUNT_RELEASE);
		now = own(CONFIG_COUNT) + 1;
		store(CONFIG_COUNT, now);
		mb(BE, NOTHING)
	:: else
	fi;
	now = 0
}

/* Between the resets that a batch asks for and its commit: it will be refused, or committed with NEEDS_RESET. */
inline turn() {
	if
	:: d_step { may_fail && !fails -> fail() }; tell_failure()
	:: true
	fi
}

/* Between commit and answer: the result stands, the status says that it needs a reset. */
inline last_turn() {
	if
	:: d_step { fails != 0 -> fails = 0 };
		tell_failure();
		if
		:: without(FAILURE_ANSWERED) -> forget_copy(); goto end_idle
		:: else
		fi
	:: d_step { !fails && may_fail ->
		fail();
		said = said | NEEDS_RESET;
		if
		:: committed && c_fe == fe && q == token -> committed_answer = said
		:: else
		fi
	   }
	   tell_failure()
	:: !fails
	fi
}
#endif

/* 4.4 and 4.5: a new life resets the device, and so does a batch that begins with a reset. */
inline reset_first() {
	if
	:: c_fe != known || kind_in(c_entries) == RESET -> status = 0
	:: else
	fi
}

/* 4.5 and 5: the other entries of a batch; a veto takes FEATURES_OK and what comes behind it away. */
inline commit_entries() {
	if
	:: kind_in(c_entries) == RESET -> said = OK
	:: kind_in(c_entries) != RESET && status & NEEDS_RESET -> said = REFUSED
	:: kind_in(c_entries) != RESET && !(status & NEEDS_RESET) && vetoes -> said = VETO
	:: kind_in(c_entries) == FEATURES && !(status & NEEDS_RESET) && !vetoes -> status = FEATURES_OK; said = OK
	:: kind_in(c_entries) == RUN && !(status & NEEDS_RESET) && !vetoes ->
#ifndef ONE_BATCH
		assert(status == FEATURES_OK);
#endif
		status = DRIVERS; said = OK
	fi
}

inline commit() {
#ifdef DEVICE_FAILS
	if
	:: fails != 0 ->
		if
		:: kind_in(c_entries) == FEATURES && fails == AT_LAST -> status = FEATURES_OK
		:: kind_in(c_entries) == RUN && fails == AT_LAST -> status = DRIVERS
		:: else
		fi;
		status = status | NEEDS_RESET;
		said = (without(FAILURE_IN_RESULT) -> OK : REFUSED)
	:: else -> commit_entries()
	fi;
#else
	commit_entries();
#endif
	vetoes = false;
	said = said | status
}

active proctype Frontend() {
life:
	agreed = 0;
	begin();
attach:
	meet();
	publish(RESET);
	accept();
	if
	:: with == 0 -> goto attach /* the same life: it had nothing */
#ifdef DEVICE_FAILS
	:: with != 0 && answer != OK -> /* 4.2: it is not acknowledged, and the device left alone until the next life */
		assert(status_in(answer) == NEEDS_RESET);
		answer = 0;
end_left_alone:
		memory[BE_EPOCH] != with;
		goto attach
	:: with != 0 && answer == OK -> count = memory[CONFIG_COUNT]; answer = 0
#else
	:: else -> assert(answer == OK); answer = 0
#endif
	fi;
#ifndef ONE_BATCH
	publish(FEATURES);
	accept();
	if
	:: with == 0 || result_in(answer) == VETO -> goto life
	:: with != 0 && result_in(answer) == REFUSED -> answer = 0; goto REFUSED_GOES_TO
	:: else -> agreed = status_in(answer) & DRIVERS; assert(agreed == FEATURES_OK); answer = 0
	fi;
#endif
	publish(RUN);
	accept();
	if
	:: with == 0 || result_in(answer) == VETO -> goto life
	:: with != 0 && result_in(answer) == REFUSED -> answer = 0; goto REFUSED_GOES_TO
	:: else -> agreed = status_in(answer) & DRIVERS; answer = 0
	fi;
	d_step {
		assert(agreed == DRIVERS);
		assert(be != with || (status & agreed) == agreed)
	}
#ifdef DEVICE_FAILS
end_running:
	do
	:: memory[BE_EPOCH] != with -> goto life
	:: memory[CONFIG_COUNT] != count -> count = memory[CONFIG_COUNT];
		if
		:: memory[ANSWER] & NEEDS_RESET -> agreed = 0; goto attach
		:: else
		fi
	:: be == with && status & NEEDS_RESET ->
		/* Only the backend knows: the frontend must hear of it. */
		memory[BE_EPOCH] != with || memory[CONFIG_COUNT] != count
	od
#else
end_running:
	memory[BE_EPOCH] != with; /* the link breaks */
	goto life
#endif
}

active proctype Backend() {
	do
	:: {
		start();
end_idle:
		do
		:: examine();
			if
			:: is_whole && is_for_us ->
				if
				:: true
				:: faults < FAULTS && kind_in(c_entries) != RESET -> faults++; vetoes = true
#ifdef DEVICE_FAILS
				:: d_step {
					failures < DEVICE_FAILS && (kind_in(c_entries) == RESET || !(status & NEEDS_RESET)) ->
					failures++; fails = AT_ONCE
				   }
				:: d_step {
					failures < DEVICE_FAILS && kind_in(c_entries) != RESET && !(status & NEEDS_RESET) ->
					failures++; fails = AT_LAST
				   }
#else
				:: faults < FAULTS -> faults++; status = status | NEEDS_RESET /* 7.1 */
#endif
				fi;
				take()
			:: else
			fi;
			d_step { forget_copy() }
#ifdef DEVICE_FAILS
		:: d_step { may_fail -> fail() }
			tell_failure()
#endif
		od
	   } unless {
		atomic {
			be_dies -> be_dies = false;
			be = 0; looked = NONE; known = 0; status = 0; vetoes = false; loads[BE] = 0; scratch[BE] = 0;
#ifdef DEVICE_FAILS
			fails = 0; now = 0;
#endif
			forget_copy()
		}
	   }
	od
}

active proctype Fate() {
end:
	do
	:: atomic { restarts < RESTARTS -> restarts++; be_dies = true }
	od
}
