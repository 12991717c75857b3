// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "waits/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <wasm-bpf.h>

#include "errors.h"
#include "globals.h"

// What the program wants to be done with each signal.
static struct sigaction actions[_NSIG];
static uint64_t blocked, pending;
// The request to stop comes once, and stays: it is one signal.
static bool was_taken;
static bool restarts;

int64_t (*wb_timer_left)(void);
void (*wb_retry)(void);

int wasm_bpf_stop_requested(void)
{
	return wasm_bpf_bpf_lifecycle_stop_requested();
}

static uint64_t bit(int sig)
{
	return 1ull << (sig - 1);
}

// As the kernel would end the process: nothing is flushed, nothing that atexit() was given runs. The host detaches what is attached.
_Noreturn static void die_of(int sig)
{
	_exit(128 + sig);
}

static bool dies_of(int sig)
{
	const uint64_t harmless = 1ull << SIGCHLD | 1ull << SIGURG | 1ull << SIGWINCH | 1ull << SIGCONT | 1ull << SIGSTOP |
				  1ull << SIGTSTP | 1ull << SIGTTIN | 1ull << SIGTTOU;

	return !(harmless >> sig & 1);
}

// Runs what the program set for a signal. True if a handler ran.
static bool deliver(int sig)
{
	struct sigaction action = actions[sig];
	const uint64_t before = blocked;
	unsigned int depth;
	int saved = errno;

	if (action.sa_handler == SIG_IGN)
		return false;
	if (action.sa_handler == SIG_DFL) {
		if (dies_of(sig))
			die_of(sig);
		return false;
	}
	if (action.sa_flags & (int)SA_RESETHAND)
		actions[sig].sa_handler = SIG_DFL;
	blocked |= action.sa_mask.__bits;
	if (!(action.sa_flags & SA_NODEFER))
		blocked |= bit(sig);
	restarts &= (action.sa_flags & SA_RESTART) != 0;
	depth = wb_callback_begin();
	if (action.sa_flags & SA_SIGINFO) {
		siginfo_t info = { .si_signo = sig, .si_code = SI_USER };

		action.sa_sigaction(sig, &info, NULL);
	} else {
		action.sa_handler(sig);
	}
	wb_callback_end(depth);
	blocked = before;
	errno = saved;
	return true;
}

// Whether the program waits for a signal: by a handler, or blocked.
static bool looks_at(int sig)
{
	return (actions[sig].sa_handler != SIG_DFL && actions[sig].sa_handler != SIG_IGN) || (blocked & bit(sig));
}

// The request to stop as a signal: the one of the two that the program looks at.
static int stop_signal(void)
{
	return !looks_at(SIGINT) && looks_at(SIGTERM) ? SIGTERM : SIGINT;
}

static bool deliver_pending(void)
{
	bool ran = false;

	for (int sig = 1; sig < _NSIG && pending & ~blocked; sig++) {
		if (pending & ~blocked & bit(sig)) {
			if (!ran)
				restarts = true;
			pending &= ~bit(sig);
			ran |= deliver(sig);
		}
	}
	return ran;
}

// The request is known from now on: the host is told so, that it does not end the next wait for it.
static void take_stop(void)
{
	wb_wait_once(NULL, 0, 0);
	was_taken = true;
	pending |= bit(stop_signal());
}

static void look(void)
{
	if (wb_timer_left)
		wb_timer_left();
	if (!was_taken && wasm_bpf_bpf_lifecycle_stop_requested())
		take_stop();
}

bool wb_stop_check(void)
{
	look();
	return deliver_pending();
}

bool wb_stop_is_known(void)
{
	return was_taken;
}

bool wb_stop_restarts(void)
{
	return restarts;
}

void wb_signal_post(int sig)
{
	pending |= bit(sig);
}

int wb_signal_take(uint64_t set)
{
	look();
	set &= pending;
	if (!set)
		return 0;
	pending &= ~(set & -set);
	return __builtin_ctzll(set) + 1;
}

static int check(int sig)
{
	if (sig > 0 && sig < _NSIG)
		return 0;
	errno = EINVAL;
	return -1;
}

int sigaction(int sig, const struct sigaction *restrict action, struct sigaction *restrict old)
{
	if (check(sig))
		return -1;
	if (action && (sig == SIGKILL || sig == SIGSTOP)) {
		errno = EINVAL;
		return -1;
	}
	if (old)
		*old = actions[sig];
	if (action)
		actions[sig] = *action;
	return 0;
}

sighandler_t signal(int sig, sighandler_t handler)
{
	struct sigaction action = { .sa_flags = SA_RESTART }, old;

	action.sa_handler = handler;
	return sigaction(sig, &action, &old) ? SIG_ERR : old.sa_handler;
}

uint64_t wb_signal_mask(uint64_t mask)
{
	const uint64_t before = blocked;

	blocked = mask & ~(bit(SIGKILL) | bit(SIGSTOP));
	return before;
}

uint64_t wb_signals_blocked(void)
{
	return blocked;
}

uint64_t wb_signals_pending(void)
{
	return pending;
}

uint64_t wb_signals_now(void)
{
	look();
	return pending;
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	const uint64_t before = blocked;

	if (set) {
		switch (how) {
		case SIG_BLOCK:
			wb_signal_mask(blocked | set->__bits);
			break;
		case SIG_UNBLOCK:
			wb_signal_mask(blocked & ~set->__bits);
			break;
		case SIG_SETMASK:
			wb_signal_mask(set->__bits);
			break;
		default:
			return EINVAL;
		}
	}
	if (old)
		old->__bits = before;
	deliver_pending();
	return 0;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	int error = pthread_sigmask(how, set, old);

	if (!error)
		return 0;
	errno = error;
	return -1;
}

int sigpending(sigset_t *set)
{
	look();
	// Of those that are not blocked, none is left pending.
	deliver_pending();
	set->__bits = pending;
	return 0;
}

int raise(int sig)
{
	if (check(sig))
		return -1;
	pending |= bit(sig);
	deliver_pending();
	return 0;
}

int kill(pid_t pid, int sig)
{
	if (pid == (pid_t)wasm_bpf_bpf_features_own_process() || !pid)
		return sig ? raise(sig) : 0;
	// No other process can be reached.
	errno = EPERM;
	return -1;
}
