// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Texts and names of signals.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "platform/texts.h"

static const char descriptions[] =
	"\0Hangup\0Interrupt\0Quit\0Illegal instruction\0Trace/breakpoint trap\0Aborted\0Bus error\0Floating point exception\0Killed\0"
	"User defined signal 1\0Segmentation fault\0User defined signal 2\0Broken pipe\0Alarm clock\0Terminated\0Stack fault\0"
	"Child exited\0Continued\0Stopped (signal)\0Stopped\0Stopped (tty input)\0Stopped (tty output)\0Urgent I/O condition\0"
	"CPU time limit exceeded\0File size limit exceeded\0Virtual timer expired\0Profiling timer expired\0Window changed\0"
	"I/O possible\0Power failure\0Bad system call\0";

static const char names[] =
	"\0HUP\0INT\0QUIT\0ILL\0TRAP\0ABRT\0BUS\0FPE\0KILL\0USR1\0SEGV\0USR2\0PIPE\0ALRM\0TERM\0STKFLT\0CHLD\0CONT\0STOP\0TSTP\0TTIN\0"
	"TTOU\0URG\0XCPU\0XFSZ\0VTALRM\0PROF\0WINCH\0POLL\0PWR\0SYS\0";

const char *sigdescr_np(int signal)
{
	return wb_text_of(descriptions, sizeof(descriptions) - 1, signal);
}

const char *sigabbrev_np(int signal)
{
	return wb_text_of(names, sizeof(names) - 1, signal);
}

char *strsignal(int signal)
{
	static char other[32];
	const char *text = sigdescr_np(signal);

	if (text)
		return (char *)text;
	// Those from 34 on are for programs to use.
	if (signal >= 34 && signal <= 64)
		snprintf(other, sizeof(other), "Real-time signal %d", signal - 34);
	else
		snprintf(other, sizeof(other), "Unknown signal %d", signal);
	return other;
}
