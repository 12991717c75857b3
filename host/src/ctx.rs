//! The context: configuration that a component cannot change, and what its calls share.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use wasmtime::component::ResourceTable;

use crate::btf::Types;
use crate::journal::{Journal, Recovered};
use crate::left::Left;
use crate::lifecycle::Stop;
use crate::maps::Pins;
use crate::messages::{MessageLevel, MessageSink};
use crate::policy::{Limits, Policy, Usage};
use crate::sockets::ReuseportGroups;
use crate::symbols::{Helper, SymbolizerCommand};

/// What the host holds for one component: its policy, its limits, its stop request. Made by [`WasmBpfCtxBuilder`].
pub struct WasmBpfCtx {
    pub(crate) policy: Policy,
    pub(crate) usage: Usage,
    pub(crate) stop: Stop,
    pub(crate) custom_btf: Option<PathBuf>,
    /// What is in that file, once it was asked for.
    pub(crate) custom_types: OnceLock<Arc<Types>>,
    pub(crate) messages: Option<MessageSink>,
    pub(crate) pins: Pins,
    pub(crate) reuseport_groups: ReuseportGroups,
    pub(crate) left: Left,
    pub(crate) journal: Journal,
    pub(crate) symbolizer: Helper,
}

impl WasmBpfCtx {
    /// A builder with the defaults.
    pub fn builder() -> WasmBpfCtxBuilder {
        WasmBpfCtxBuilder::default()
    }

    /// The handle by which this component is asked, or made, to stop.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }
}

/// Configures a [`WasmBpfCtx`]. Unless told otherwise the component may observe, within [`Limits::default`].
#[derive(Default)]
pub struct WasmBpfCtxBuilder {
    policy: Policy,
    limits: Limits,
    custom_btf: Option<PathBuf>,
    messages: Option<MessageSink>,
    journal: Option<PathBuf>,
    symbolizer: Option<SymbolizerCommand>,
}

impl WasmBpfCtxBuilder {
    /// What the component may do.
    pub fn policy(&mut self, policy: Policy) -> &mut Self {
        self.policy = policy;
        self
    }

    /// How much it may hold.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.limits = limits;
        self
    }

    /// BTF for CO-RE relocations in place of the running kernel's: a file with raw BTF or an ELF file with a `.BTF` section.
    pub fn custom_btf(&mut self, file: impl AsRef<Path>) -> &mut Self {
        self.custom_btf = Some(file.as_ref().to_owned());
        self
    }

    /// Receives what libbpf says during this component's calls. Without it the messages are kept only for errors.
    pub fn on_message(
        &mut self,
        sink: impl Fn(MessageLevel, &str) + Send + Sync + 'static,
    ) -> &mut Self {
        self.messages = Some(std::sync::Arc::new(sink));
        self
    }

    /// Where the host writes down what the kernel would keep if the host were killed: filters of traffic control, and programs on cgroups that are
    /// attached without a link. `/run/wasm-bpf/journal` unless set. The folder is made when it is needed, for this user alone.
    ///
    /// The first context of a process removes what killed hosts left, as far as it is written down there; [`recover`](crate::recover) does so any time.
    pub fn journal(&mut self, folder: impl AsRef<Path>) -> &mut Self {
        self.journal = Some(folder.as_ref().to_owned());
        self
    }

    /// The program that is started to find names of addresses (the interface `symbols`): one that does nothing but call
    /// [`serve_symbolizer`](crate::serve_symbolizer), as `wasm-bpf symbolizer` does. Without it the interface answers that it is not supported.
    ///
    /// It is a process of its own since it reads files that any user may have made: what breaks it, or takes all memory, breaks no more
    /// than the call.
    pub fn symbolizer(
        &mut self,
        program: impl AsRef<Path>,
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> &mut Self {
        self.symbolizer = Some(SymbolizerCommand {
            program: program.as_ref().to_owned(),
            args: args.into_iter().map(Into::into).collect(),
        });
        self
    }

    /// The context. The builder starts anew.
    pub fn build(&mut self) -> WasmBpfCtx {
        let Self {
            policy,
            limits,
            custom_btf,
            messages,
            journal,
            symbolizer,
        } = std::mem::take(self);
        let journal = Journal::new(journal);
        for recovered in journal.recover_once() {
            if let Some(sink) = &messages {
                match recovered {
                    Recovered::Removed(text) => sink(MessageLevel::Info, &text),
                    Recovered::Problem(text) => sink(MessageLevel::Warning, &text),
                }
            }
        }
        WasmBpfCtx {
            policy,
            usage: Usage::new(limits),
            stop: Stop::new(),
            custom_btf,
            custom_types: OnceLock::new(),
            messages,
            pins: Pins::default(),
            reuseport_groups: ReuseportGroups::default(),
            left: Left::default(),
            journal,
            symbolizer: Helper::new(symbolizer),
        }
    }
}

/// What the implementation of the interfaces works on.
pub struct WasmBpfCtxView<'a> {
    /// The component's context.
    pub ctx: &'a mut WasmBpfCtx,
    /// The resource table that WASI uses too: pollables are shared with it.
    pub table: &'a mut ResourceTable,
}

/// Gives access to the context inside a store's data.
///
/// ```
/// use wasm_bpf_host::{WasmBpfCtx, WasmBpfCtxView, WasmBpfView};
/// use wasmtime::component::ResourceTable;
///
/// struct State {
///     bpf: WasmBpfCtx,
///     table: ResourceTable,
/// }
///
/// impl WasmBpfView for State {
///     fn bpf(&mut self) -> WasmBpfCtxView<'_> {
///         WasmBpfCtxView { ctx: &mut self.bpf, table: &mut self.table }
///     }
/// }
/// ```
pub trait WasmBpfView: Send {
    /// The view.
    fn bpf(&mut self) -> WasmBpfCtxView<'_>;
}
