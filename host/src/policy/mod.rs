//! What a component may do: observe by default, change nothing without a grant.
//!
//! The decision is made in three places. [`Policy::check_map`] and [`Policy::check_program`] look at declarations before anything is
//! created; [`Policy::check_instructions`] looks at what libbpf made of a program for this kernel, before it is loaded. What the
//! lists here do not know needs a grant: a new kernel brings nothing in by itself.

mod grant;
mod helpers;
mod instructions;
mod kfuncs;
mod limits;

use std::collections::BTreeSet;

use libbpf_sys as sys;

pub(crate) use grant::GRANTS;
pub use grant::{Grant, ParseGrantError};
use helpers::HelperTier;
pub(crate) use kfuncs::name_of as kernel_function;
pub use limits::Limits;
pub(crate) use limits::{LimitExceeded, Need, Reservation, Usage, map_memory};

use crate::bindings::types::{ErrorCode, MapType, ProgramType};
use crate::error::Failure;

/// Which grants a component has. The default has none: the component may observe.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    grants: Vec<Grant>,
    all: bool,
}

/// The grant that is missing, and for what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotGranted {
    /// None: nothing short of `--allow-all` covers it.
    grant: Option<Grant>,
    what: String,
}

impl From<NotGranted> for Failure {
    fn from(missing: NotGranted) -> Self {
        let remedy = match &missing.grant {
            Some(grant) => format!("allow it with --allow {grant}"),
            None => "it would be every grant at once, so only --allow-all covers it".to_owned(),
        };
        Failure::refused(
            ErrorCode::NotGranted,
            format!("{} is not granted; {remedy}", missing.what),
        )
    }
}

impl Policy {
    /// Observing only.
    pub fn observe() -> Self {
        Self::default()
    }

    /// Everything.
    pub fn allow_all() -> Self {
        Self {
            grants: Vec::new(),
            all: true,
        }
    }

    /// Adds a grant.
    pub fn allow(&mut self, grant: Grant) -> &mut Self {
        self.grants.push(grant);
        self
    }

    fn require(&self, grant: Grant, what: impl FnOnce() -> String) -> Result<(), NotGranted> {
        if self.all || self.grants.iter().any(|given| given.covers(&grant)) {
            return Ok(());
        }
        Err(NotGranted {
            grant: Some(grant),
            what: what(),
        })
    }

    /// Whether any grant of this name was given, whatever its value. Loading a program is not yet using it on an
    /// interface or a cgroup: which one is decided when it is attached.
    fn require_any(
        &self,
        name: &'static str,
        placeholder: Option<&str>,
        what: impl FnOnce() -> String,
    ) -> Result<(), NotGranted> {
        if self.all || self.grants.iter().any(|given| given.name() == name) {
            return Ok(());
        }
        Err(NotGranted {
            grant: Some(Grant::new(name, placeholder)),
            what: what(),
        })
    }

    /// A map that is to be created.
    pub(crate) fn check_map(&self, name: &str, kind: MapType) -> Result<(), NotGranted> {
        let what = || format!("the map `{name}` of type {}", kind.name());
        match kind {
            MapType::Hash
            | MapType::Array
            | MapType::ProgArray
            | MapType::PerfEventArray
            | MapType::PercpuHash
            | MapType::PercpuArray
            | MapType::StackTrace
            | MapType::CgroupArray
            | MapType::LruHash
            | MapType::LruPercpuHash
            | MapType::LpmTrie
            | MapType::ArrayOfMaps
            | MapType::HashOfMaps
            | MapType::Queue
            | MapType::Stack
            | MapType::SkStorage
            | MapType::InodeStorage
            | MapType::TaskStorage
            | MapType::CgrpStorage
            | MapType::Ringbuf
            | MapType::UserRingbuf
            | MapType::BloomFilter
            | MapType::Arena => Ok(()),
            MapType::Devmap | MapType::DevmapHash | MapType::Cpumap | MapType::Xskmap => {
                self.require_any("xdp", Some("INTERFACE"), what)
            }
            MapType::Sockmap | MapType::Sockhash | MapType::ReuseportSockarray => {
                self.require_any("sockmap", None, what)
            }
            MapType::CgroupStorage | MapType::PercpuCgroupStorage => {
                self.require_any("cgroup", Some("PATH"), what)
            }
            MapType::StructOps => self.require_any("struct-ops", None, what),
            MapType::Other(number) => {
                self.require(Grant::new("map-type", Some(&number.to_string())), what)
            }
        }
    }

    /// A pin that the object declares. `load` would make it, or take over the map that is pinned there.
    pub(crate) fn check_declared_pin(&self, map: &str, path: &str) -> Result<(), NotGranted> {
        self.check_pin(path, || {
            format!("the map `{map}` declares a pin at {path}, which")
        })
    }

    /// A path of a BPF file system that something is to be pinned, unpinned or opened at.
    pub(crate) fn check_pin(
        &self,
        path: &str,
        what: impl FnOnce() -> String,
    ) -> Result<(), NotGranted> {
        self.check_path("pin", path, what)
    }

    /// A network interface that packets are to be redirected to.
    pub(crate) fn check_redirection(&self, interface: &str) -> Result<(), NotGranted> {
        self.require(Grant::new("xdp", Some(interface)), || {
            format!("to redirect packets to the network interface {interface}")
        })
    }

    /// A file of the host that an ELF section names.
    pub(crate) fn check_binary(&self, program: &str, path: &str) -> Result<(), NotGranted> {
        self.check_path("binary", path, || {
            format!("the program `{program}` names the file {path} in its section, which")
        })
    }

    /// A cgroup that a program is to be attached to, by the path that the kernel knows it by.
    pub(crate) fn check_cgroup(&self, program: &str, path: &str) -> Result<(), NotGranted> {
        self.check_path("cgroup", path, || {
            format!("attaching the program `{program}` to the cgroup {path}")
        })
    }

    /// The packets of a network interface, or of all of them.
    pub(crate) fn check_packets(&self, interface: Option<&str>) -> Result<(), NotGranted> {
        let grant = Grant::new("socket-filter", Some(interface.unwrap_or("*")));
        self.require(grant, || match interface {
            Some(interface) => format!("seeing the packets of the network interface `{interface}`"),
            None => "seeing the packets of all network interfaces".to_owned(),
        })
    }

    /// A filter on a socket of the component's own: it sees what the component may see anyway.
    pub(crate) fn check_socket_filter(&self, program: &str) -> Result<(), NotGranted> {
        self.require_any("socket-filter", Some("INTERFACE"), || {
            format!("attaching the program `{program}` to a socket")
        })
    }

    /// A program that redirects data between sockets, or chooses one.
    pub(crate) fn check_sockmap(&self, program: &str) -> Result<(), NotGranted> {
        self.require_any("sockmap", None, || {
            format!("attaching the program `{program}` to sockets")
        })
    }

    /// A socket that is at no address yet.
    pub(crate) fn check_any_socket(&self) -> Result<(), NotGranted> {
        self.require_any("socket", Some("ADDRESS"), || "opening a socket".to_owned())
    }

    /// An address that a socket is to be bound or connected to, as `SocketAddr` writes it.
    pub(crate) fn check_socket(&self, address: &str, to: &str) -> Result<(), NotGranted> {
        self.require(Grant::new("socket", Some(address)), || {
            format!("what would {to}")
        })
    }

    /// A place or a counter in a binary that the component opened, of which the binary says nothing: a probe in the middle of an instruction changes
    /// what the program does, and a counter is written to.
    pub(crate) fn check_place(
        &self,
        program: &str,
        path: &str,
        place: &str,
    ) -> Result<(), NotGranted> {
        self.check_path("binary", path, || {
            format!(
                "the program `{program}` would be attached to the file {path} with {place}, which"
            )
        })
    }

    /// A program that is to be attached to a network interface: `xdp`, or `tc` for all hooks of traffic control.
    pub(crate) fn check_interface(
        &self,
        grant: &'static str,
        program: &str,
        interface: &str,
    ) -> Result<(), NotGranted> {
        self.require(Grant::new(grant, Some(interface)), || {
            format!("attaching the program `{program}` to the network interface {interface}")
        })
    }

    /// A program that is to be attached to a network namespace (`netns`), or to its packet filter (`netfilter`).
    pub(crate) fn check_network(
        &self,
        grant: &'static str,
        program: &str,
    ) -> Result<(), NotGranted> {
        self.require(Grant::new(grant, None), || {
            format!("attaching the program `{program}` to a network namespace")
        })
    }

    /// Debug information in files that any user may have made: they name other files, which are opened too.
    pub(crate) fn check_debug_info(&self, of: &str) -> Result<(), NotGranted> {
        self.require_any("debug-info", None, || {
            format!("reading debug information of {of}")
        })
    }

    /// A path that climbs could leave the folder that a grant names.
    fn check_path(
        &self,
        grant: &'static str,
        path: &str,
        what: impl FnOnce() -> String,
    ) -> Result<(), NotGranted> {
        if path.split('/').any(|part| part == "..") && !self.all {
            return Err(NotGranted {
                grant: None,
                what: what(),
            });
        }
        self.require(Grant::new(grant, Some(path)), what)
    }

    /// Whether operations of the kernel may be implemented: decided before libbpf looks at their descriptions, whose offsets it trusts.
    pub(crate) fn check_struct_ops(&self, object: &str) -> Result<(), NotGranted> {
        let what = || format!("a section of struct-ops, which the object `{object}` has,");
        self.require_any("struct-ops", None, what)
    }

    /// Looking at what others have in the kernel.
    pub(crate) fn check_query(&self, what: impl FnOnce() -> String) -> Result<(), NotGranted> {
        self.require(Grant::new("query", None), what)
    }

    /// A handle that can change what others have in the kernel. It is found by looking, so that is granted too.
    pub(crate) fn check_query_change(&self, what: impl Fn() -> String) -> Result<(), NotGranted> {
        self.require(Grant::new("query", None), &what)?;
        self.require(Grant::new("query-change", None), &what)
    }

    /// A program that is to be loaded, by its kind and attach type.
    pub(crate) fn check_program(
        &self,
        name: &str,
        kind: ProgramType,
        attach_type: u32,
    ) -> Result<(), NotGranted> {
        let what = || format!("the program `{name}` of type {}", kind.name());
        let any = |grant, placeholder| self.require_any(grant, placeholder, what);
        match kind {
            ProgramType::Tracepoint | ProgramType::RawTracepoint | ProgramType::PerfEvent => Ok(()),
            ProgramType::Kprobe => match attach_type {
                // Plain kprobes and uprobes have no attach type of their own.
                0
                | sys::BPF_PERF_EVENT
                | sys::BPF_TRACE_KPROBE_MULTI
                | sys::BPF_TRACE_KPROBE_SESSION
                | sys::BPF_TRACE_UPROBE_MULTI
                | sys::BPF_TRACE_UPROBE_SESSION => Ok(()),
                other => self.require(Grant::new("program-type", Some("kprobe")), || {
                    format!("the program `{name}` of type kprobe with attach type {other}")
                }),
            },
            ProgramType::Tracing => match attach_type {
                sys::BPF_TRACE_RAW_TP
                | sys::BPF_TRACE_FENTRY
                | sys::BPF_TRACE_FEXIT
                | sys::BPF_TRACE_FSESSION
                | sys::BPF_TRACE_ITER => Ok(()),
                sys::BPF_MODIFY_RETURN => self.require_any("fmod-ret", None, || {
                    format!("the program `{name}`, which changes what a kernel function returns,")
                }),
                other => self.require(Grant::new("program-type", Some("tracing")), || {
                    format!("the program `{name}` of type tracing with attach type {other}")
                }),
            },
            ProgramType::RawTracepointWritable => any("raw-tracepoint-writable", None),
            ProgramType::SocketFilter => any("socket-filter", Some("INTERFACE")),
            ProgramType::SchedCls | ProgramType::SchedAct => any("tc", Some("INTERFACE")),
            ProgramType::Xdp => any("xdp", Some("INTERFACE")),
            ProgramType::CgroupSkb
            | ProgramType::CgroupSock
            | ProgramType::CgroupDevice
            | ProgramType::CgroupSockAddr
            | ProgramType::CgroupSysctl
            | ProgramType::CgroupSockopt
            | ProgramType::SockOps => any("cgroup", Some("PATH")),
            ProgramType::SkSkb | ProgramType::SkMsg | ProgramType::SkReuseport => {
                any("sockmap", None)
            }
            ProgramType::FlowDissector | ProgramType::SkLookup => any("netns", None),
            ProgramType::Netfilter => any("netfilter", None),
            ProgramType::LwtIn
            | ProgramType::LwtOut
            | ProgramType::LwtXmit
            | ProgramType::LwtSeg6local => any("lwt", None),
            ProgramType::Lsm => any("lsm", None),
            ProgramType::StructOps => any("struct-ops", None),
            ProgramType::Ext => any("freplace", None),
            ProgramType::Syscall => any("syscall", None),
            ProgramType::LircMode2 => {
                self.require(Grant::new("program-type", Some("lirc-mode2")), what)
            }
            ProgramType::Other(number) => {
                self.require(Grant::new("program-type", Some(&number.to_string())), what)
            }
        }
    }

    /// A program that is opened by its pin. What it was verified to be attached as is not known.
    pub(crate) fn check_opened_program(
        &self,
        name: &str,
        kind: ProgramType,
    ) -> Result<(), NotGranted> {
        match kind {
            // It may change what functions return.
            ProgramType::Tracing => self.require_any("fmod-ret", None, || {
                format!(
                    "the pinned program `{name}` of type tracing, which may change what a kernel function returns,"
                )
            }),
            _ => self.check_program(name, kind, 0),
        }
    }

    /// A program that is to be attached to a target that somebody else chose: any.
    pub(crate) fn check_any_target(
        &self,
        name: &str,
        kind: ProgramType,
        attach_type: u32,
    ) -> Result<(), NotGranted> {
        let grant = match kind {
            ProgramType::Xdp => "xdp",
            ProgramType::SchedCls | ProgramType::SchedAct => "tc",
            ProgramType::SocketFilter => "socket-filter",
            ProgramType::CgroupSkb
            | ProgramType::CgroupSock
            | ProgramType::CgroupDevice
            | ProgramType::CgroupSockAddr
            | ProgramType::CgroupSysctl
            | ProgramType::CgroupSockopt
            | ProgramType::SockOps => "cgroup",
            // Their grants have no target.
            _ => return self.check_program(name, kind, attach_type),
        };
        self.require(Grant::new(grant, Some("*")), || {
            format!("to put the program `{name}` into a link that the component did not make")
        })
    }

    /// Packets of a test run that go on from this interface for real.
    pub(crate) fn check_live_frames(
        &self,
        program: &str,
        interface: &str,
    ) -> Result<(), NotGranted> {
        self.require(Grant::new("xdp", Some(interface)), || {
            format!("to send packets through the program `{program}` on the interface {interface}")
        })
    }

    /// Measuring the runs of every program.
    pub(crate) fn check_statistics(&self) -> Result<(), NotGranted> {
        self.require(Grant::new("statistics", None), || {
            "to measure the runs of every program in the kernel".to_owned()
        })
    }

    /// Leaving a program attached.
    pub(crate) fn check_disconnect(&self) -> Result<(), NotGranted> {
        self.require(Grant::new("disconnect", None), || {
            "to leave a program attached without a handle".to_owned()
        })
    }

    /// Registering operations.
    pub(crate) fn check_operations(&self, map: &str) -> Result<(), NotGranted> {
        self.require(Grant::new("struct-ops", None), || {
            format!("to register the operations `{map}`")
        })
    }

    /// A program's instructions as they will be loaded. Whether it may start something that goes on without it being attached: a
    /// timer or work, which keeps the program as long as somebody has the map that it is in.
    pub(crate) fn check_instructions(
        &self,
        name: &str,
        kind: ProgramType,
        instructions: &[sys::bpf_insn],
        map_fds: &BTreeSet<i32>,
    ) -> Result<bool, Failure> {
        // Not a matter of grants: with a descriptor of the host a program could reach another component's maps.
        let malformed = |bad: instructions::BadInstruction| {
            Failure::refused(
                ErrorCode::Malformed,
                format!("the program `{name}` is not what a compiler makes: {bad}"),
            )
            .about(name)
        };
        let asks = instructions::scan(instructions, map_fds).map_err(malformed)?;
        if let Some(&descriptor) = asks.btf_fds.iter().find(|fd| !kfuncs::is_kernel_btf(**fd)) {
            return Err(malformed(instructions::BadInstruction::ForeignBtf {
                descriptor,
            }));
        }
        self.check_asks(name, kind, &asks)
            .map_err(|missing| Failure::from(missing).about(name))?;
        let starts_work = |id: &u32| {
            kfuncs::name_of(*id).is_some_and(|name| {
                name.starts_with("bpf_wq_") || name.starts_with("bpf_task_work_")
            })
        };
        Ok(asks.helpers.contains(&sys::BPF_FUNC_timer_set_callback)
            || asks.kfuncs.iter().any(starts_work))
    }

    fn check_asks(
        &self,
        name: &str,
        kind: ProgramType,
        asks: &instructions::Asks,
    ) -> Result<(), NotGranted> {
        let acts = !only_observes(kind);
        for &id in &asks.helpers {
            let (helper, tier) = match helpers::helper(id) {
                Some((constant, tier)) => (helpers::public_name(constant), tier),
                None => (id.to_string(), HelperTier::Outside),
            };
            let what = || format!("the helper {helper}, which the program `{name}` calls,");
            match tier {
                HelperTier::Observe => {}
                HelperTier::Act if acts => {}
                HelperTier::Act | HelperTier::Outside => {
                    self.require(Grant::new("helper", Some(&helper)), what)?;
                }
                HelperTier::Never if self.all => {}
                HelperTier::Never => {
                    return Err(NotGranted {
                        grant: None,
                        what: what(),
                    });
                }
            }
        }
        for &id in &asks.kfuncs {
            let kfunc = kfuncs::name_of(id);
            if !kfunc.is_some_and(kfuncs::is_observing) {
                let kfunc = kfunc.map_or_else(|| id.to_string(), str::to_owned);
                self.require(Grant::new("kfunc", Some(&kfunc)), || {
                    format!("the kernel function {kfunc}, which the program `{name}` calls,")
                })?;
            }
        }
        if !asks.module_kfuncs.is_empty() {
            self.require(Grant::new("kfunc", Some("*")), || {
                format!("a function of a kernel module, which the program `{name}` calls,")
            })?;
        }
        Ok(())
    }
}

/// The number of a helper by its name in C.
pub(crate) fn helper_number(name: &str) -> Option<u32> {
    // Some hundred are known.
    (1..1024).find(|id| {
        helpers::helper(*id).is_some_and(|(constant, _)| helpers::public_name(constant) == name)
    })
}

/// Kinds that need no grant; helpers that act are not covered by anything there.
fn only_observes(kind: ProgramType) -> bool {
    matches!(
        kind,
        ProgramType::Tracepoint
            | ProgramType::RawTracepoint
            | ProgramType::PerfEvent
            | ProgramType::Kprobe
            | ProgramType::Tracing
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(grants: &[&str]) -> Policy {
        let mut policy = Policy::observe();
        for grant in grants {
            policy.allow(grant.parse().unwrap());
        }
        policy
    }

    fn asks(helpers: &[u32]) -> instructions::Asks {
        instructions::Asks {
            helpers: helpers.iter().copied().collect(),
            ..Default::default()
        }
    }

    #[test]
    fn packets_go_to_granted_interfaces_only() {
        let policy = with(&["xdp=eth0"]);
        assert!(policy.check_redirection("eth0").is_ok());
        let refused = policy.check_redirection("eth1").unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "xdp=eth1");
        assert!(Policy::observe().check_redirection("eth0").is_err());
        assert!(with(&["xdp=*"]).check_redirection("eth1").is_ok());
    }

    #[test]
    fn every_kind_of_program_is_observing_or_needs_a_grant() {
        let observing = (0..64)
            .map(ProgramType::from_kernel)
            .filter(|kind| Policy::observe().check_program("p", *kind, 0).is_ok())
            .map(ProgramType::name)
            .collect::<Vec<_>>();
        assert_eq!(
            observing,
            ["kprobe", "tracepoint", "perf-event", "raw-tracepoint"]
        );
        for number in 0..64 {
            let kind = ProgramType::from_kernel(number);
            assert!(Policy::allow_all().check_program("p", kind, 0).is_ok());
        }
    }

    #[test]
    fn looking_at_others_is_less_than_changing_what_they_have() {
        let what = || "it".to_owned();
        assert!(Policy::observe().check_query(what).is_err());
        assert!(with(&["query"]).check_query(what).is_ok());
        let refused = with(&["query"]).check_query_change(what).unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "query-change");
        let refused = with(&["query-change"]).check_query_change(what);
        assert_eq!(refused.unwrap_err().grant.unwrap().to_string(), "query");
        let both = with(&["query", "query-change"]);
        assert!(both.check_query_change(what).is_ok());
        assert!(Policy::allow_all().check_query_change(what).is_ok());
    }

    #[test]
    fn helpers_have_numbers() {
        assert_eq!(helper_number("bpf_map_lookup_elem"), Some(1));
        assert_eq!(helper_number("bpf_no_such"), None);
    }

    #[test]
    fn places_in_binaries_need_the_grant_for_the_file() {
        let check = |policy: Policy, path| policy.check_place("p", path, "offset 1");
        let refused = check(Policy::observe(), "/bin/x").unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "binary=/bin/x");
        assert!(check(with(&["binary=/bin/y", "pin=*"]), "/bin/x").is_err());
        assert!(check(with(&["binary=/bin/x"]), "/bin/x").is_ok());
        assert!(check(with(&["binary=/bin/*"]), "/bin/x").is_ok());
        assert!(check(with(&["binary=*"]), "/bin/../etc/x").is_err());
    }

    #[test]
    fn tracing_is_decided_by_attach_type() {
        let policy = Policy::observe();
        let check = |attach| policy.check_program("p", ProgramType::Tracing, attach);
        assert!(check(sys::BPF_TRACE_FENTRY).is_ok());
        let refused = check(sys::BPF_MODIFY_RETURN).unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "fmod-ret");
        assert!(check(60_000).is_err());
        assert!(
            with(&["fmod-ret"])
                .check_program("p", ProgramType::Tracing, sys::BPF_MODIFY_RETURN)
                .is_ok()
        );
    }

    #[test]
    fn a_grant_covers_its_kind_and_no_other() {
        let policy = with(&["xdp=eth0"]);
        assert!(
            policy
                .check_program("p", ProgramType::Xdp, sys::BPF_XDP)
                .is_ok()
        );
        assert!(policy.check_program("p", ProgramType::SchedCls, 0).is_err());
        assert!(policy.check_map("m", MapType::Devmap).is_ok());
        assert!(policy.check_map("m", MapType::Sockmap).is_err());
    }

    #[test]
    fn a_grant_for_an_interface_is_for_no_other() {
        let policy = with(&["xdp=eth0", "tc=*", "netns"]);
        assert!(policy.check_interface("xdp", "p", "eth0").is_ok());
        assert!(policy.check_interface("tc", "p", "eth1").is_ok());
        let refused = policy.check_interface("xdp", "p", "eth1").unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "xdp=eth1");
        // A star is only what an operator writes.
        assert!(policy.check_interface("xdp", "p", "*").is_err());
        assert!(policy.check_network("netns", "p").is_ok());
        assert!(policy.check_network("netfilter", "p").is_err());
    }

    #[test]
    fn helpers_that_write_outside_need_their_own_grant() {
        let send_signal = asks(&[sys::BPF_FUNC_send_signal]);
        let kind = ProgramType::Tracepoint;
        assert!(
            Policy::observe()
                .check_asks("p", kind, &asks(&[1, 2, 3]))
                .is_ok()
        );
        let refused = Policy::observe()
            .check_asks("p", kind, &send_signal)
            .unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "helper=bpf_send_signal");
        assert!(
            with(&["helper=bpf_send_signal"])
                .check_asks("p", kind, &send_signal)
                .is_ok()
        );
        // A grant for a kind of program does not bring them in.
        assert!(
            with(&["xdp=*"])
                .check_asks("p", ProgramType::Xdp, &send_signal)
                .is_err()
        );
    }

    #[test]
    fn system_calls_from_bpf_are_never_granted_one_by_one() {
        let sys_bpf = asks(&[sys::BPF_FUNC_sys_bpf]);
        let policy = with(&["syscall", "helper=*"]);
        let refused = policy
            .check_asks("p", ProgramType::Syscall, &sys_bpf)
            .unwrap_err();
        assert_eq!(refused.grant, None);
        assert!(
            Policy::allow_all()
                .check_asks("p", ProgramType::Syscall, &sys_bpf)
                .is_ok()
        );
    }

    #[test]
    fn unknown_helpers_need_a_grant_by_number() {
        let unknown = asks(&[4711]);
        let refused = Policy::observe()
            .check_asks("p", ProgramType::Tracepoint, &unknown)
            .unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "helper=4711");
    }

    #[test]
    fn cgroups_are_granted_by_path() {
        let policy = with(&["cgroup=/sys/fs/cgroup/a", "cgroup=/sys/fs/cgroup/b/*"]);
        let check = |path| policy.check_cgroup("p", path).is_ok();
        assert!(check("/sys/fs/cgroup/a"));
        assert!(check("/sys/fs/cgroup/b/c"));
        for other in [
            "/sys/fs/cgroup",
            "/sys/fs/cgroup/a/b",
            "/sys/fs/cgroup/b",
            "/sys/fs/cgroup/b/../c",
        ] {
            assert!(!check(other), "{other}");
        }
    }

    #[test]
    fn packets_of_all_interfaces_need_a_grant_for_all() {
        let policy = with(&["socket-filter=eth0"]);
        assert!(policy.check_packets(Some("eth0")).is_ok());
        assert!(policy.check_packets(Some("eth1")).is_err());
        let refused = policy.check_packets(None).unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "socket-filter=*");
        assert!(with(&["socket-filter=*"]).check_packets(None).is_ok());
        assert!(policy.check_socket_filter("p").is_ok());
        assert!(Policy::observe().check_socket_filter("p").is_err());
    }

    #[test]
    fn sockets_are_granted_by_address() {
        let policy = with(&["socket=127.0.0.1:*"]);
        assert!(policy.check_any_socket().is_ok());
        assert!(policy.check_socket("127.0.0.1:80", "bind").is_ok());
        assert!(policy.check_socket("0.0.0.0:80", "bind").is_err());
        let policy = with(&["sockmap"]);
        assert!(policy.check_sockmap("p").is_ok());
        assert!(policy.check_any_socket().is_err());
        assert!(with(&["socket=*"]).check_sockmap("p").is_err());
    }

    #[test]
    fn a_program_goes_into_anybodys_link_with_a_grant_for_every_target() {
        let check = |policy: &Policy, kind| policy.check_any_target("p", kind, 0);
        for (kind, some, all) in [
            (ProgramType::Xdp, "xdp=eth0", "xdp=*"),
            (ProgramType::SchedCls, "tc=eth0", "tc=*"),
            (
                ProgramType::CgroupSkb,
                "cgroup=/sys/fs/cgroup/a",
                "cgroup=*",
            ),
        ] {
            let refused = check(&with(&[some]), kind).unwrap_err();
            assert_eq!(refused.grant.unwrap().to_string(), all);
            assert!(check(&with(&[all]), kind).is_ok());
        }
        assert!(check(&Policy::observe(), ProgramType::SkLookup).is_err());
        assert!(check(&with(&["netns"]), ProgramType::SkLookup).is_ok());
    }

    #[test]
    fn live_frames_need_their_interface() {
        let policy = with(&["xdp=eth0"]);
        assert!(policy.check_live_frames("p", "eth0").is_ok());
        let refused = policy.check_live_frames("p", "lo").unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "xdp=lo");
    }

    #[test]
    fn what_outlives_and_what_slows_others_needs_a_grant() {
        let refused = Policy::observe().check_disconnect().unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "disconnect");
        assert!(with(&["disconnect"]).check_disconnect().is_ok());
        let refused = Policy::observe().check_statistics().unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "statistics");
        assert!(with(&["statistics"]).check_statistics().is_ok());
        let refused = Policy::observe().check_operations("o").unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "struct-ops");
    }

    #[test]
    fn a_pinned_program_of_tracing_may_be_any() {
        let kind = ProgramType::Tracing;
        assert!(Policy::observe().check_opened_program("p", kind).is_err());
        assert!(with(&["fmod-ret"]).check_opened_program("p", kind).is_ok());
        let kind = ProgramType::RawTracepoint;
        assert!(Policy::observe().check_opened_program("p", kind).is_ok());
    }

    #[test]
    fn debug_information_needs_its_grant() {
        let refused = with(&["binary=*"]).check_debug_info("x").unwrap_err();
        assert_eq!(refused.grant.unwrap().to_string(), "debug-info");
        assert!(with(&["debug-info"]).check_debug_info("x").is_ok());
        assert!(Policy::allow_all().check_debug_info("x").is_ok());
    }

    #[test]
    fn paths_that_climb_are_refused() {
        let policy = with(&["pin=/sys/fs/bpf/mine/*"]);
        assert!(policy.check_declared_pin("m", "/sys/fs/bpf/mine/m").is_ok());
        assert!(
            policy
                .check_declared_pin("m", "/sys/fs/bpf/mine/../m")
                .is_err()
        );
        assert!(policy.check_declared_pin("m", "/sys/fs/bpf/m").is_err());
    }
}
