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

#include "pages.pml"

/* Statuses, and answers: result and status. Result 0 is never an answer. */
#define NEEDS_RESET 4
#define FEATURES_OK 1
#define DRIVER_OK 2
#define OK 8
#define VETO 16
#define REFUSED 24 /* RESULT_NEEDS_RESET */
#define result_in(answer) ((answer) & 24)
#define status_in(answer) ((answer) & 7)

byte status; /* of the device, as the backend keeps it */
byte agreed; /* as the frontend keeps it */
bool vetoes; /* the backend will refuse the features of this batch */

/* 4.4 and 4.5: a new life resets the device, and so does a batch that begins with a reset. */
inline reset_first() {
	if
	:: c_fe != known || kind_in(c_entries) == RESET -> status = 0
	:: else
	fi
}

/* 4.5 and 5: the other entries of a batch; a veto takes FEATURES_OK and what comes behind it away. */
inline commit() {
	if
	:: kind_in(c_entries) == RESET -> said = OK
	:: kind_in(c_entries) != RESET && status & NEEDS_RESET -> said = REFUSED
	:: kind_in(c_entries) != RESET && !(status & NEEDS_RESET) && vetoes -> said = VETO
	:: kind_in(c_entries) == FEATURES && !(status & NEEDS_RESET) && !vetoes -> status = FEATURES_OK; said = OK
	:: kind_in(c_entries) == RUN && !(status & NEEDS_RESET) && !vetoes ->
#ifndef ONE_BATCH
		assert(status == FEATURES_OK);
#endif
		status = FEATURES_OK | DRIVER_OK; said = OK
	fi;
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
	:: else -> assert(answer == OK); answer = 0
	fi;
#ifndef ONE_BATCH
	publish(FEATURES);
	accept();
	if
	:: with == 0 || result_in(answer) != OK -> goto life
	:: else -> agreed = status_in(answer); assert(agreed == FEATURES_OK); answer = 0
	fi;
#endif
	publish(RUN);
	accept();
	if
	:: with == 0 || result_in(answer) != OK -> goto life
	:: else -> agreed = status_in(answer); answer = 0
	fi;
	d_step {
		assert(agreed == (FEATURES_OK | DRIVER_OK));
		assert(be != with || (status & agreed) == agreed)
	}
end_running:
	memory[BE_EPOCH] != with; /* the link breaks */
	goto life
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
				:: faults < FAULTS -> faults++; status = status | NEEDS_RESET /* 7.1 */
				fi;
				take()
			:: else
			fi;
			d_step { forget_copy() }
		od
	   } unless {
		atomic {
			be_dies -> be_dies = false;
			be = 0; looked = NONE; known = 0; status = 0; vetoes = false; loads[BE] = 0; scratch[BE] = 0;
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
