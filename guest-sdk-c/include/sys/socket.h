/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Sockets of the host, by Linux' numbers and layouts: what BPF programs can be attached to and maps of sockets hold. The policy decides on each address (grant
 * `socket`) and on packet sockets (grant `socket-filter`). TCP, UDP and AF_PACKET with SOCK_RAW are there.
 */
#ifndef WASM_BPF_SYS_SOCKET_H
#define WASM_BPF_SYS_SOCKET_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <wasm-bpf/platform.h>

typedef unsigned int socklen_t;
typedef unsigned short sa_family_t;
/* They are defined here, and not again in wasi-libc's headers. */
#define __wasilibc___typedef_sa_family_t_h
#define __wasilibc___typedef_socklen_t_h
#define __DEFINED_socklen_t
#define __DEFINED_sa_family_t

#include <__struct_sockaddr.h>
#include <__struct_sockaddr_storage.h>

struct msghdr {
	void *msg_name;
	socklen_t msg_namelen;
	struct iovec *msg_iov;
	size_t msg_iovlen;
	void *msg_control;
	size_t msg_controllen;
	int msg_flags;
};

struct linger {
	int l_onoff;
	int l_linger;
};

#ifdef _GNU_SOURCE
struct ucred {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};
#endif

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_RDM 4
#define SOCK_SEQPACKET 5
#define SOCK_DCCP 6
#define SOCK_PACKET 10
#define SOCK_CLOEXEC 02000000
#define SOCK_NONBLOCK 04000

#define AF_UNSPEC 0
#define AF_LOCAL 1
#define AF_UNIX 1
#define AF_INET 2
#define AF_AX25 3
#define AF_IPX 4
#define AF_APPLETALK 5
#define AF_NETROM 6
#define AF_BRIDGE 7
#define AF_ATMPVC 8
#define AF_X25 9
#define AF_INET6 10
#define AF_ROSE 11
#define AF_DECnet 12
#define AF_NETBEUI 13
#define AF_SECURITY 14
#define AF_KEY 15
#define AF_NETLINK 16
#define AF_ROUTE 16
#define AF_PACKET 17
#define AF_ASH 18
#define AF_ECONET 19
#define AF_ATMSVC 20
#define AF_RDS 21
#define AF_SNA 22
#define AF_IRDA 23
#define AF_PPPOX 24
#define AF_WANPIPE 25
#define AF_LLC 26
#define AF_IB 27
#define AF_MPLS 28
#define AF_CAN 29
#define AF_TIPC 30
#define AF_BLUETOOTH 31
#define AF_IUCV 32
#define AF_RXRPC 33
#define AF_ISDN 34
#define AF_PHONET 35
#define AF_IEEE802154 36
#define AF_CAIF 37
#define AF_ALG 38
#define AF_NFC 39
#define AF_VSOCK 40
#define AF_KCM 41
#define AF_QIPCRTR 42
#define AF_SMC 43
#define AF_XDP 44
#define AF_MCTP 45
#define AF_MAX 46

#define PF_UNSPEC AF_UNSPEC
#define PF_LOCAL AF_LOCAL
#define PF_UNIX AF_UNIX
#define PF_INET AF_INET
#define PF_AX25 AF_AX25
#define PF_IPX AF_IPX
#define PF_APPLETALK AF_APPLETALK
#define PF_NETROM AF_NETROM
#define PF_BRIDGE AF_BRIDGE
#define PF_ATMPVC AF_ATMPVC
#define PF_X25 AF_X25
#define PF_INET6 AF_INET6
#define PF_ROSE AF_ROSE
#define PF_DECnet AF_DECnet
#define PF_NETBEUI AF_NETBEUI
#define PF_SECURITY AF_SECURITY
#define PF_KEY AF_KEY
#define PF_NETLINK AF_NETLINK
#define PF_ROUTE AF_ROUTE
#define PF_PACKET AF_PACKET
#define PF_ASH AF_ASH
#define PF_ECONET AF_ECONET
#define PF_ATMSVC AF_ATMSVC
#define PF_RDS AF_RDS
#define PF_SNA AF_SNA
#define PF_IRDA AF_IRDA
#define PF_PPPOX AF_PPPOX
#define PF_WANPIPE AF_WANPIPE
#define PF_LLC AF_LLC
#define PF_IB AF_IB
#define PF_MPLS AF_MPLS
#define PF_CAN AF_CAN
#define PF_TIPC AF_TIPC
#define PF_BLUETOOTH AF_BLUETOOTH
#define PF_IUCV AF_IUCV
#define PF_RXRPC AF_RXRPC
#define PF_ISDN AF_ISDN
#define PF_PHONET AF_PHONET
#define PF_IEEE802154 AF_IEEE802154
#define PF_CAIF AF_CAIF
#define PF_ALG AF_ALG
#define PF_NFC AF_NFC
#define PF_VSOCK AF_VSOCK
#define PF_KCM AF_KCM
#define PF_QIPCRTR AF_QIPCRTR
#define PF_SMC AF_SMC
#define PF_XDP AF_XDP
#define PF_MCTP AF_MCTP
#define PF_MAX AF_MAX

#define SOL_SOCKET 1
#define SOL_IP 0
#define SOL_TCP 6
#define SOL_UDP 17
#define SOL_IPV6 41
#define SOL_ICMPV6 58
#define SOL_RAW 255
#define SOL_PACKET 263
#define SOL_NETLINK 270
#define SOL_XDP 283

#define SO_DEBUG 1
#define SO_REUSEADDR 2
#define SO_TYPE 3
#define SO_ERROR 4
#define SO_DONTROUTE 5
#define SO_BROADCAST 6
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_KEEPALIVE 9
#define SO_OOBINLINE 10
#define SO_NO_CHECK 11
#define SO_PRIORITY 12
#define SO_LINGER 13
#define SO_BSDCOMPAT 14
#define SO_REUSEPORT 15
#define SO_PASSCRED 16
#define SO_PEERCRED 17
#define SO_RCVLOWAT 18
#define SO_SNDLOWAT 19
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define SO_BINDTODEVICE 25
#define SO_ATTACH_FILTER 26
#define SO_DETACH_FILTER 27
#define SO_PEERNAME 28
#define SO_TIMESTAMP 29
#define SO_ACCEPTCONN 30
#define SO_PEERSEC 31
#define SO_SNDBUFFORCE 32
#define SO_RCVBUFFORCE 33
#define SO_PASSSEC 34
#define SO_TIMESTAMPNS 35
#define SO_MARK 36
#define SO_TIMESTAMPING 37
#define SO_PROTOCOL 38
#define SO_DOMAIN 39
#define SO_RXQ_OVFL 40
#define SO_PEEK_OFF 42
#define SO_LOCK_FILTER 44
#define SO_BUSY_POLL 46
#define SO_MAX_PACING_RATE 47
#define SO_INCOMING_CPU 49
#define SO_ATTACH_BPF 50
#define SO_DETACH_BPF 27
#define SO_ATTACH_REUSEPORT_CBPF 51
#define SO_ATTACH_REUSEPORT_EBPF 52
#define SO_MEMINFO 55
#define SO_INCOMING_NAPI_ID 56
#define SO_COOKIE 57
#define SO_PEERGROUPS 59
#define SO_ZEROCOPY 60
#define SO_TXTIME 61
#define SO_BINDTOIFINDEX 62
#define SO_DETACH_REUSEPORT_BPF 68
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#define SO_NETNS_COOKIE 71
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2

#define MSG_OOB 0x0001
#define MSG_PEEK 0x0002
#define MSG_DONTROUTE 0x0004
#define MSG_CTRUNC 0x0008
#define MSG_TRUNC 0x0020
#define MSG_DONTWAIT 0x0040
#define MSG_EOR 0x0080
#define MSG_WAITALL 0x0100
#define MSG_CONFIRM 0x0800
#define MSG_ERRQUEUE 0x2000
#define MSG_NOSIGNAL 0x4000
#define MSG_MORE 0x8000
#define MSG_FASTOPEN 0x20000000
#define MSG_CMSG_CLOEXEC 0x40000000

#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

#define SOMAXCONN 4096

WB_BEGIN

int socket(int domain, int type, int protocol) WB_CALLS(wb_socket);
int bind(int fd, const struct sockaddr *address, socklen_t length) WB_CALLS(wb_bind);
int connect(int fd, const struct sockaddr *address, socklen_t length) WB_CALLS(wb_connect);
int listen(int fd, int backlog) WB_CALLS(wb_listen);
int accept(int fd, struct sockaddr *__restrict address, socklen_t *__restrict length) WB_CALLS(wb_accept);
int accept4(int fd, struct sockaddr *__restrict address, socklen_t *__restrict length, int flags) WB_CALLS(wb_accept4);
int getsockname(int fd, struct sockaddr *__restrict address, socklen_t *__restrict length) WB_CALLS(wb_getsockname);
int getpeername(int fd, struct sockaddr *__restrict address, socklen_t *__restrict length) WB_CALLS(wb_getpeername);
/* Flags: MSG_DONTWAIT and MSG_NOSIGNAL; EOPNOTSUPP for others. */
ssize_t send(int fd, const void *data, size_t size, int flags) WB_CALLS(wb_send);
/*
 * Flags: MSG_DONTWAIT, MSG_WAITALL, and MSG_TRUNC except for TCP; EOPNOTSUPP for others. A wait ends with EINTR when a signal's handler ran, SA_RESTART or not.
 * Packets come from bind() on, and without it from the first use.
 */
ssize_t recv(int fd, void *buffer, size_t size, int flags) WB_CALLS(wb_recv);
/* The only address that may be given is that of the peer which the socket is connected to; EOPNOTSUPP for others. */
ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length) WB_CALLS(wb_sendto);
/* Who sent a datagram is told for sockets that are connected; EOPNOTSUPP for others, and nothing is received, unless `address` is NULL. */
ssize_t recvfrom(int fd, void *__restrict buffer, size_t size, int flags, struct sockaddr *__restrict address, socklen_t *__restrict length) WB_CALLS(wb_recvfrom);
/*
 * Of SOL_SOCKET: SO_ATTACH_BPF, SO_DETACH_BPF, SO_ATTACH_REUSEPORT_EBPF, SO_DETACH_REUSEPORT_BPF, SO_REUSEPORT, SO_RCVTIMEO and SO_SNDTIMEO; of IPPROTO_IPV6:
 * IPV6_V6ONLY, which is always set. ENOPROTOOPT for others. SO_ATTACH_BPF of a packet socket that is not bound waits for bind() if the policy does not grant the
 * packets of all interfaces, and SO_ATTACH_REUSEPORT_EBPF always: bind() then tells of failures.
 */
int setsockopt(int fd, int level, int name, const void *value, socklen_t length) WB_CALLS(wb_setsockopt);
/*
 * Of SOL_SOCKET: SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_COOKIE, SO_ACCEPTCONN, SO_REUSEPORT, SO_RCVTIMEO, SO_SNDTIMEO, and SO_ERROR, which tells how connect() went;
 * of IPPROTO_IPV6: IPV6_V6ONLY. ENOPROTOOPT for others.
 */
int getsockopt(int fd, int level, int name, void *__restrict value, socklen_t *__restrict length) WB_CALLS(wb_getsockopt);
/* EOPNOTSUPP: close() ends both directions. */
int shutdown(int fd, int how) WB_CALLS(wb_shutdown);

WB_END

#endif
