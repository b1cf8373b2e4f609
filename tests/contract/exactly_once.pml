/* The write-ahead protocol of a launch, as a model for Spin.
 *
 * A launch has the purposes DEPLOY and REGISTER and, if it has a first supply, DISTRIBUTE, on one account of one chain.
 * Two executions work on it at once. Each reads what is stored, decides, and writes later under its conditions, so
 * whatever happens in between may be stale: a step that was cut is a step whose condition fails.
 * The chain may take whatever was ever sent, in any order of time, may replace blocks that are not confirmed, and may
 * see a transaction of the same key that Slipway never signed.
 *
 * Checked: on every chain that is ever canonical each purpose has at most one effect; no model stays locked without an
 * open nonce; every launch is settled in the end. docs/exactly-once.md maps each step to its function.
 *
 * Each guard can be dropped by a definition (-DDROP_…), to show that the checker finds what the guard is for.
 */

#ifndef NONCES
#define NONCES 6
#endif
#define BEYOND NONCES
#ifdef SUPPLY
#define PURPOSES 3
#else
#define PURPOSES 2
#endif

mtype = { pending, completed, failed };                       /* status of the launch */
mtype = { nobody, deploy, register, distribute, cancel, foreign, other }; /* what a nonce holds, or was used for */

/* ── The chain ─────────────────────────────────────────────────────────────────────────────────────────────────── */
mtype used[NONCES] = nobody;      /* what the canonical chain took at each nonce below `count` */
byte count = 0;                   /* next nonce that the chain can take */
byte confirmed = 0;               /* nonces below it are confirmed: no reorganisation reaches them */
bool sent[NONCES] = false;        /* the stored transaction of a nonce has left this process once */
bool sent_cancel[NONCES] = false; /* so has the self-transfer that closes the nonce */
#ifndef STRANGERS
#define STRANGERS 1
#endif
#ifndef REORGANISATIONS
#define REORGANISATIONS 1
#endif
byte reorganisations = REORGANISATIONS, strangers = STRANGERS;

/* ── The tables ────────────────────────────────────────────────────────────────────────────────────────────────── */
byte next_nonce = 0;                   /* of the account */
mtype holds[NONCES] = nobody;          /* what is signed for each nonce; written once, before it is sent */
bool cancel_signed[NONCES] = false;    /* a self-transfer with higher fees is signed for the nonce as well */
byte at_deploy = BEYOND, at_register = BEYOND, at_distribute = BEYOND; /* the nonce that each purpose has now */
mtype status = pending;
bool locked = true;
bool expired = false;                  /* the launch's deadline has passed */

#define settled (status == completed || (status == failed && !locked))
#define is_mined(n, what) (n < count && used[n] == what)
#define is_confirmed(n, what) (n < confirmed && used[n] == what)

inline check_effects() {
  d_step {
    byte i = 0, deploys = 0, registers = 0, supplies = 0;
    do
    :: i < count ->
         if
         :: used[i] == deploy -> deploys++
         :: used[i] == register && deploys > 0 -> registers++ /* reverts while the token has no code */
         /* Reverts while the token is not registered. That a second one reverts as well is not relied on here. */
         :: used[i] == distribute && registers > 0 -> supplies++
         :: else
         fi;
         i++
    :: else -> break
    od;
    assert(deploys <= 1);
    assert(registers <= 1);
    assert(supplies <= 1);
    i = 0; deploys = 0; registers = 0; supplies = 0
  }
}

active proctype Chain() {
end:
  do
  :: settled && count >= next_nonce -> break
  :: count < NONCES && count < next_nonce && sent[count] ->
       atomic { used[count] = holds[count]; count++; check_effects() }
  :: count < NONCES && count < next_nonce && sent_cancel[count] ->
       atomic { used[count] = cancel; count++; check_effects() }
  :: strangers > 0 && count < PURPOSES ->
       atomic { strangers--; used[count] = foreign; count++ }
  :: confirmed < count -> confirmed++
  :: reorganisations > 0 && count > confirmed ->
       atomic { reorganisations--; count-- ; used[count] = nobody; check_effects() }
  :: !expired -> expired = true
  od
}

/* ── One execution: a hub that does the step that is due by what is stored ─────────────────────────────────────── */

/* The conditions of a reservation: the purpose and the account's next nonce are as they were read. */
#ifdef DROP_PURPOSE_CONDITION
#define purpose_unchanged(now, before) true
#else
#define purpose_unchanged(now, before) (now == before && status == pending)
#endif
#ifdef DROP_NONCE_CONDITION
#define nonce_unchanged true
#else
#define nonce_unchanged (next_nonce == my_nonce)
#endif

/* A nonce is signed for one purpose, ever. */
inline sign_for(nonce, what) { assert(holds[nonce] == nobody); holds[nonce] = what }

/* All transactions are signed for nonces that were read before, and written in one conditional write. */
inline sign_all() {
  my_nonce = next_nonce;
  atomic {
    if
    :: purpose_unchanged(at_deploy, was_deploy) && nonce_unchanged && my_nonce <= NONCES - PURPOSES ->
         sign_for(my_nonce, deploy); at_deploy = my_nonce;
         sign_for(my_nonce + 1, register); at_register = my_nonce + 1;
#ifdef SUPPLY
         sign_for(my_nonce + 2, distribute); at_distribute = my_nonce + 2;
#endif
         next_nonce = my_nonce + PURPOSES
    :: else
    fi;
    forget()
  }
}

/* One purpose is signed anew at the next nonce. */
inline sign_one(what, at, was) {
  my_nonce = next_nonce;
  atomic {
    if
    :: purpose_unchanged(at, was) && nonce_unchanged && my_nonce < NONCES ->
         sign_for(my_nonce, what); at = my_nonce; next_nonce = my_nonce + 1
    :: else
    fi;
    forget()
  }
}

/* What was read is read anew before the next step. */
inline forget() { was_deploy = BEYOND; was_register = BEYOND; was_distribute = BEYOND; my_nonce = 0 }

inline fail_unlocked() {
  atomic {
    if :: at_deploy == was_deploy && status != completed -> status = failed; locked = false :: else fi;
    forget()
  }
}

/* A nonce was used by somebody else for good: none of ours can be mined there any more. */
#ifdef DROP_CONFIRMATIONS
#define is_void(n) is_mined(n, foreign)
#else
#define is_void(n) is_confirmed(n, foreign)
#endif

/* Mined before what it depends on: it had no effect and never will have. */
#define reverted(n, what, needed) (is_confirmed(n, what) && (needed > n))
#define is_closed(n) is_confirmed(n, cancel)
#define without_effect(n, what, needed) (is_void(n) || is_closed(n) || reverted(n, what, needed))
#define has_effect(n, what, needed) (is_confirmed(n, what) && !reverted(n, what, needed))

#ifdef SUPPLY
#define distributed has_effect(was_distribute, distribute, at_register)
#else
#define distributed true
#endif
#ifdef DROP_FINAL_DISTRIBUTION
#define to_distribute_anew !is_confirmed(was_distribute, distribute)
#else
#define to_distribute_anew without_effect(was_distribute, distribute, at_register)
#endif

#define signed(n) (n < BEYOND)

proctype Execution() {
  byte was_deploy, was_register, was_distribute, my_nonce;
  forget();
  do
  :: settled -> break
  :: else ->
       atomic { was_deploy = at_deploy; was_register = at_register; was_distribute = at_distribute }
       if
       /* Nothing is signed: reserve the nonces and write all transactions. Too late: the model is free at once. */
       :: status == pending && !signed(was_deploy) && !expired -> sign_all()
       :: !signed(was_deploy) && expired -> fail_unlocked()
       /* The deployment's nonce was used elsewhere, for good: all are signed anew, at later nonces. */
       :: status == pending && signed(was_deploy) && is_void(was_deploy) && !expired -> sign_all()
       :: signed(was_deploy) && is_void(was_deploy) && expired -> fail_unlocked()
       /* The deployment was called off, for good: there is no token, and none can come. */
       :: signed(was_deploy) && is_closed(was_deploy) -> fail_unlocked()
       /* The token is there, and its registration has no effect at its nonce, for good: it is signed anew. */
       :: status == pending && signed(was_deploy) && is_confirmed(was_deploy, deploy) &&
          without_effect(was_register, register, at_deploy) -> sign_one(register, at_register, was_register)
#ifdef SUPPLY
       /* It is registered, and the distribution of its supply has no effect at its nonce, for good. */
       :: status == pending && signed(was_deploy) && is_confirmed(was_deploy, deploy) &&
          has_effect(was_register, register, at_deploy) && to_distribute_anew ->
            sign_one(distribute, at_distribute, was_distribute)
#endif
       /* All are confirmed. */
       :: signed(was_deploy) && is_confirmed(was_deploy, deploy) && has_effect(was_register, register, at_deploy) &&
          distributed -> d_step { status = completed; forget() }
       /* Send what is written, again and again: always the same bytes. Later is not another thing than now. */
       :: atomic {
            signed(was_deploy) && !is_mined(was_deploy, deploy) && !sent[was_deploy] -> sent[was_deploy] = true; forget()
          }
       :: atomic {
            signed(was_register) && !is_mined(was_register, register) && !sent[was_register] -> sent[was_register] = true; forget()
          }
#ifdef SUPPLY
       :: atomic {
            signed(was_distribute) && !is_mined(was_distribute, distribute) && !sent[was_distribute] -> sent[was_distribute] = true; forget()
          }
#endif
       /* Out of time: a self-transfer at the same nonce is written, and sent. Which of the two is mined decides. */
       :: expired && signed(was_deploy) && was_deploy >= count && !cancel_signed[was_deploy] ->
            d_step { cancel_signed[was_deploy] = true; forget() }
       :: atomic {
            signed(was_deploy) && cancel_signed[was_deploy] && !sent_cancel[was_deploy] ->
              sent_cancel[was_deploy] = true; forget()
          }
       /* The chain takes neither for long: the launch is reported as failed; its model stays locked meanwhile. */
       :: expired && signed(was_deploy) && cancel_signed[was_deploy] && was_deploy >= confirmed && status == pending ->
            d_step { status = failed; forget() }
       /* It turns out that its token is on chain: the launch is taken up again. */
       :: status == failed && locked && signed(was_deploy) && is_confirmed(was_deploy, deploy) ->
            d_step { status = pending; forget() }
       /* Something has changed since it was read. */
       :: atomic { was_deploy != at_deploy || was_register != at_register || was_distribute != at_distribute -> forget() }
       /* Else wait. An execution that waits for ever for a launch that is not settled is an error that Spin reports. */
       fi
  od
}

/* Another launch takes a nonce of the same account, once. */
#ifndef ALONE
active proctype Neighbour() {
  byte my_nonce = next_nonce;
  atomic {
    if
    :: nonce_unchanged && my_nonce < PURPOSES ->
         sign_for(my_nonce, other); sent[my_nonce] = true; next_nonce = my_nonce + 1
    :: else
    fi
  }
}

#endif

/* ── Reconcile: a nonce that serves nothing any more is closed, so that the account's later ones can be mined ────── */
#ifdef DROP_SUPERSEDED
#define serves_nothing(n) settled
#else
#define serves_nothing(n) (settled || (n != at_deploy && n != at_register && n != at_distribute))
#endif

active proctype Reconcile() {
end:
  do
  :: settled && count >= next_nonce -> break
  :: atomic {
       count < next_nonce && count < NONCES && holds[count] != other && serves_nothing(count) && !sent_cancel[count] ->
         cancel_signed[count] = true; sent_cancel[count] = true
     }
  od
}

init {
  atomic {
    run Execution();
#ifndef ONE_EXECUTION
    run Execution()
#endif
  }
}
