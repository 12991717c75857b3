// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <wasm-bpf.h>

#include "errors.h"

// What the program wants to be done with each signal.
static struct sigaction actions[_NSIG];
static uint64_t blocked, pending;
// The request to stop comes once, and stays: it is one signal.
static bool was_taken;

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
	wasi_cli_exit_exit_with_code(128 + sig);
	__builtin_trap();
}

static bool dies_of(int sig)
{
	switch (sig) {
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
	case SIGCONT:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return false;
	default:
		return true;
	}
}

// Runs what the program set for a signal. True if a handler ran.
static bool deliver(int sig)
{
	struct sigaction action = actions[sig];
	const uint64_t before = blocked;
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
	if (action.sa_flags & SA_SIGINFO) {
		siginfo_t info = { .si_signo = sig, .si_code = SI_USER };

		action.sa_sigaction(sig, &info, NULL);
	} else {
		action.sa_handler(sig);
	}
	blocked = before;
	errno = saved;
	return true;
}

// The request to stop as a signal: the one of the two that the program looks at.
static int stop_signal(void)
{
	return actions[SIGINT].sa_handler == SIG_DFL && actions[SIGTERM].sa_handler != SIG_DFL ? SIGTERM : SIGINT;
}

static bool deliver_pending(void)
{
	bool ran = false;

	for (int sig = 1; sig < _NSIG && pending & ~blocked; sig++) {
		if (pending & ~blocked & bit(sig)) {
			pending &= ~bit(sig);
			ran |= deliver(sig);
		}
	}
	return ran;
}

bool wb_stop_check(void)
{
	if (!was_taken && wasm_bpf_bpf_lifecycle_stop_requested()) {
		was_taken = true;
		pending |= bit(stop_signal());
	}
	return deliver_pending();
}

bool wb_stop_is_known(void)
{
	return was_taken;
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

int sigemptyset(sigset_t *set)
{
	set->__bits = 0;
	return 0;
}

int sigfillset(sigset_t *set)
{
	set->__bits = UINT64_MAX;
	return 0;
}

int sigaddset(sigset_t *set, int sig)
{
	if (check(sig))
		return -1;
	set->__bits |= bit(sig);
	return 0;
}

int sigdelset(sigset_t *set, int sig)
{
	if (check(sig))
		return -1;
	set->__bits &= ~bit(sig);
	return 0;
}

int sigismember(const sigset_t *set, int sig)
{
	return check(sig) ? -1 : (set->__bits & bit(sig)) != 0;
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	const uint64_t before = blocked;

	if (set) {
		switch (how) {
		case SIG_BLOCK:
			blocked |= set->__bits;
			break;
		case SIG_UNBLOCK:
			blocked &= ~set->__bits;
			break;
		case SIG_SETMASK:
			blocked = set->__bits;
			break;
		default:
			return EINVAL;
		}
		blocked &= ~(bit(SIGKILL) | bit(SIGSTOP));
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
	wb_stop_check();
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

int sigsuspend(const sigset_t *mask)
{
	const uint64_t before = blocked;

	blocked = mask->__bits;
	while (wb_wait(NULL, 0, -1) != -EINTR)
		;
	blocked = before;
	errno = EINTR;
	return -1;
}
