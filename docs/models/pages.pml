/* SPDX-License-Identifier: MIT */
/*
 * The pages of one device, and the steps of docs/transport.md, 4.1 to 4.7, that both sides take on them.
 *
 * A nonce is the smallest number that nobody holds: what a random word of 32 bits is but for one chance in 2^32.
 * The CRC says what is damaged, not what is old or foreign: here it finds nothing but words that were scrubbed away.
 * Doorbells are left out: the backend polls (sleep.pml has them). A frontend that has lost patience begins a new life.
 *
 * A model has two inlines for a batch that the backend believes, reset_first(), the resets that it asks for, and
 * commit(), everything else (`said` is the answer), and two macros: IMPATIENT, how a waiting frontend gives up, and
 * OWNS(n): is frontend epoch n held elsewhere in the model? One with DEVICE_FAILS also has TURN and LAST_TURN, what the
 * backend may do before the commit and behind it, and said_to(answer): is this what the backend has said?
 */
#ifndef DEVICE_FAILS
#define TURN
#define LAST_TURN
#define said_to(answer) (answer == committed_answer)
#endif

/* Driver page (section 3). The word of the entries stands for all of them: the batch's token and its kind. */
#define REQ 0
#define TOKEN 1
#define FE_EPOCH 2
#define FOR_BE 3 /* DRV_BE_EPOCH */
#define ENTRIES 4
#define FE_WORDS 5
/* Device page (section 2) */
#define BE_EPOCH 5
#define ANSWER 6 /* DEV_RESULT and REG_STATUS */
#define ACK 7
#define OFFERED 8 /* what else the backend says of itself: the epoch of the life that says it */
#define PAGE_WORDS 9
#define POOL 9 /* a word of a buffer, for recovery.pml with IN_FLIGHT */
#define CONFIG_COUNT 9 /* DEV_CONFIG_COUNT, for handshake.pml with DEVICE_FAILS */
#define WORDS 10
#define LANDINGS LANDS(REQ) LANDS(TOKEN) LANDS(FE_EPOCH) LANDS(FOR_BE) LANDS(ENTRIES) LANDS(BE_EPOCH) \
	LANDS(ANSWER) LANDS(ACK) LANDS(OFFERED) LANDS(POOL)

/* What can be removed: the five safeguards (4.8), other rules, and barriers by what stands in front of them. */
#define RANDOM_TOKENS 1
#define BE_EPOCH_IN_BATCH 2
#define SECOND_LOOK 3
#define TOKEN_IN_HEADER 4
#define TOKEN_0_RESERVED 5
#define EPOCH_AGAIN 6
#define POOL_WAITS 7
#define CRC 8
#define FAILURE_ANSWERED 9
#define FAILURE_IN_RESULT 10
#define FAILURE_TOLD 11
#define LIFE_MB 20
#define TOKEN_0_WMB 21
#define ENTRIES_WMB 22
#define TOKEN_WMB 23
#define EPOCH_0_WMB 24
#define CLEARED_WMB 25
#define ANSWER_RELEASE 26
#define EPOCH_BEFORE_WMB 27
#define COUNT_RELEASE 28
#define REQ_ACQUIRE 30
#define COPY_RMB 31
#define ACK_ACQUIRE 32
#define ANSWER_RMB 33
#define EPOCH_ACQUIRE 34

#include "memory.pml"

#define RESET 0
#define FEATURES 1
#define RUN 2 /* DRIVER_OK */
#define entries_of(token, kind) ((token) * 4 + (kind))
#define token_in(entries) ((entries) / 4)
#define kind_in(entries) ((entries) % 4)

/* The frontend's own: its epoch, the token of its last batch, the backend's life that it talks to, an answer. */
byte fe, token, with, offered, answer;
#define NONE 255 /* no token: nothing was examined in this life */
/* The backend's own: its epoch, the last request word examined, the frontend's epoch, the copy of a batch. */
byte be, looked = NONE, known, q, c_token, c_fe, c_be, c_entries, again, said;
/* Known to the reader of both minds only: the backend's answer to the batch published last, once that is committed. */
bool committed;
byte committed_answer;
/* Per side: a number that is 0 between two steps, and which loads of an examination or an acceptance are done. */
byte scratch[2], loads[2];

#ifdef WEAK
#define in_memory(word, n) (memory[word] == (n) || (landing[word] && stored[word] == (n)))
#else
#define in_memory(word, n) (memory[word] == (n))
#endif
#define token_held(n) (in_memory(REQ, n) || in_memory(TOKEN, n) || in_memory(ACK, n) || looked == (n) || q == (n) || \
	token_in(memory[ENTRIES]) == (n) || token_in(c_entries) == (n) || c_token == (n) || again == (n) || token == (n))
#define fe_held(n) (in_memory(FE_EPOCH, n) || c_fe == (n) || known == (n) || fe == (n) || OWNS(n))
#define be_held(n) (in_memory(BE_EPOCH, n) || in_memory(OFFERED, n) || in_memory(FOR_BE, n) || c_be == (n) || \
	with == (n) || offered == (n) || be == (n))

/* Have `nonce` be one that nobody holds; `first`: the smallest that may be drawn. */
#define DRAW(side, nonce, held, first) \
	scratch[side] = first; \
	do \
	:: held(scratch[side]) -> scratch[side]++ \
	:: else -> break \
	od; \
	nonce = scratch[side]; \
	scratch[side] = 0

/* What a frontend knows goes with its life. */
inline forget_backend() {
	token = 0; with = 0; offered = 0; answer = 0; loads[FE] = 0; committed = false; committed_answer = 0
}

/* 4.2: the frontend begins a life. */
inline begin() {
	d_step {
		forget_backend();
		DRAW(FE, fe, fe_held, 1)
	}
	store(REQ, 0);
	store(TOKEN, 0);
	mb(FE, LIFE_MB)
}

/* 4.2: the frontend waits for a backend. A page that says nothing of itself is left alone until its epoch changes. */
inline meet() {
	do
	:: if
	   :: d_step { without(EPOCH_ACQUIRE) -> offered = memory[OFFERED] }
	   :: !without(EPOCH_ACQUIRE)
	   fi;
end_no_backend:
	   d_step { memory[BE_EPOCH] != 0 -> with = memory[BE_EPOCH] }
	   if
	   :: d_step { !without(EPOCH_ACQUIRE) -> offered = memory[OFFERED] }
	   :: without(EPOCH_ACQUIRE)
	   fi;
	   if
	   :: offered != 0 -> break
	   :: else ->
#ifdef SCRUB
end_lost:
#endif
		memory[BE_EPOCH] != with
	   fi
	od
}

/* 4.3 */
inline publish(kind) {
	d_step {
		if
		:: without(RANDOM_TOKENS) -> token++
		:: else -> DRAW(FE, token, token_held, (without(TOKEN_0_RESERVED) -> 0 : 1))
		fi;
		committed = false
	}
	store(TOKEN, 0);
	wmb(FE, TOKEN_0_WMB);
	store(ENTRIES, entries_of(token, kind));
	store(FE_EPOCH, fe);
	store(FOR_BE, with);
	wmb(FE, ENTRIES_WMB);
	store(TOKEN, token);
	wmb(FE, TOKEN_WMB);
	store(REQ, token);
	mb(FE, NOTHING)
}

/* 4.7: the frontend waits; `with` becomes 0 if the backend's life is another one: it looks at each poll. */
#define SEEN_ACK 1
#define SEEN_ANSWER 2
#define SEEN_EPOCH 4
#define SEEN_ALL 7
#define seen(loaded) ((loads[FE] & (loaded)) == (loaded))
inline accept() {
	do
	:: d_step { !seen(SEEN_ACK) && memory[ACK] == token -> loads[FE] = loads[FE] | SEEN_ACK }
	:: d_step {
		!seen(SEEN_ANSWER) && (seen(SEEN_ACK) || without(ACK_ACQUIRE)) ->
		answer = memory[ANSWER]; loads[FE] = loads[FE] | SEEN_ANSWER
	   }
	:: d_step {
		!seen(SEEN_EPOCH) && seen(SEEN_ACK) && (seen(SEEN_ANSWER) || without(ANSWER_RMB)) &&
		(memory[BE_EPOCH] == with || without(EPOCH_AGAIN)) -> loads[FE] = loads[FE] | SEEN_EPOCH
	   }
	:: d_step {
		seen(SEEN_ALL) -> loads[FE] = 0;
		assert(committed); /* it is this batch that was answered */
		if
#ifdef SCRUB
		:: answer == 0 -> with = 0 /* 5: result 0 is never an answer; the status beside it says nothing */
#endif
		:: else ->
			assert(said_to(answer));
			assert(offered == with) /* what the backend said of itself, it said in this life */
		fi;
		committed = false; committed_answer = 0
	   }
	   break
	:: d_step { !without(EPOCH_AGAIN) && memory[BE_EPOCH] != with -> loads[FE] = 0; with = 0 }
	   break
	:: IMPATIENT
	od
}

/* 4.1 */
inline start() {
	wmb(BE, EPOCH_BEFORE_WMB);
	store(BE_EPOCH, 0);
	wmb(BE, EPOCH_0_WMB);
	store(ACK, 0);
	store(ANSWER, 0);
#ifdef DEVICE_FAILS
	store(CONFIG_COUNT, 0);
#endif
	d_step { DRAW(BE, be, be_held, 1) }
	store(OFFERED, be);
	wmb(BE, CLEARED_WMB);
	store(BE_EPOCH, be);
	mb(BE, NOTHING)
}

/* 4.4, first half: waits for a request word that was not examined yet, and copies. */
#define HAS_REQ 1
#define HAS_TOKEN 2
#define HAS_FE 4
#define HAS_BE 8
#define HAS_ENTRIES 16
#define HAS_COPY 31
#define HAS_AGAIN 32
#define has(loaded) ((loads[BE] & (loaded)) == (loaded))
#ifdef WEAK
#define behind(flag) HAS_REQ /* in any order */
#else
#define behind(flag) ((flag) - 1) /* in this order */
#endif
#define COPIES(flag, copied, word) :: d_step { \
	!has(flag) && (has(behind(flag)) || without(REQ_ACQUIRE)) -> \
	copied = memory[word]; loads[BE] = loads[BE] | flag }
inline examine() {
	do
	:: d_step {
		!has(HAS_REQ) && memory[REQ] != looked && (memory[REQ] != 0 || without(TOKEN_0_RESERVED)) ->
		q = memory[REQ]; looked = q; loads[BE] = loads[BE] | HAS_REQ
	   }
	COPIES(HAS_TOKEN, c_token, TOKEN)
	COPIES(HAS_FE, c_fe, FE_EPOCH)
	COPIES(HAS_BE, c_be, FOR_BE)
	COPIES(HAS_ENTRIES, c_entries, ENTRIES)
	:: d_step {
		!has(HAS_AGAIN) && has(HAS_REQ) && (has(HAS_COPY) || without(COPY_RMB)) ->
		again = memory[(without(TOKEN_IN_HEADER) -> REQ : TOKEN)]; loads[BE] = loads[BE] | HAS_AGAIN
	   }
	:: d_step { has(HAS_COPY | HAS_AGAIN) -> loads[BE] = 0 }
	   break
	od
}

/* 4.4, second half. One that is torn is not looked at again before the request word changes. */
#define is_whole ((c_token == q || without(TOKEN_IN_HEADER)) && (again == q || without(SECOND_LOOK)))
#define is_intact (c_entries != 0 || without(CRC))
#define is_for_us (is_intact && c_fe != 0 && (c_be == be || without(BE_EPOCH_IN_BATCH)))

/*
 * 4.5 and 4.6, in the slices of 6.7: the frontend goes on between them, and either side may die there. What is only
 * validated is seen by nobody, so that two slices are left before the answer.
 */
inline take() {
	d_step {
		assert(c_be == be); /* it is meant for this life */
		assert(token_in(c_entries) == q); /* and no mixture of two */
		reset_first();
		known = c_fe
	}
	TURN
	d_step {
		commit();
		if
		:: c_fe == fe && q == token -> committed = true; committed_answer = said
		:: else
		fi
	}
	LAST_TURN
	store(ANSWER, said);
	release(BE, ANSWER_RELEASE);
	store(ACK, q);
	mb(BE, NOTHING)
}

inline forget_copy() {
	q = 0; c_token = 0; c_fe = 0; c_be = 0; c_entries = 0; again = 0; said = 0
}
