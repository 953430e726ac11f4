//! Panics inside hosts: which host, with which words. tokio passes on only that some task panicked.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::Once;
use tokio::runtime::Handle;

/// A panic of a host.
#[derive(Debug, Clone)]
pub(crate) struct HostPanic {
    pub(crate) host: String,
    pub(crate) message: String,
}

#[derive(Default)]
struct Watch {
    /// Which host a runtime belongs to.
    runtimes: BTreeMap<String, String>,
    first: Option<HostPanic>,
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

static INSTALL: Once = Once::new();

/// Watches this thread until dropped: panics are kept instead of printed. Other threads are left as they were.
pub(crate) struct PanicWatch(Option<Watch>);

impl PanicWatch {
    pub(crate) fn begin() -> Self {
        INSTALL.call_once(|| {
            let previous = take_hook();
            set_hook(Box::new(move |info| {
                if !keep(info) {
                    previous(info);
                }
            }));
        });
        Self(WATCH.with_borrow_mut(|watch| watch.replace(Watch::default())))
    }

    /// The first panic since the beginning.
    pub(crate) fn first(&self) -> Option<HostPanic> {
        WATCH.with_borrow_mut(|watch| watch.as_mut().and_then(|watch| watch.first.take()))
    }
}

impl Drop for PanicWatch {
    fn drop(&mut self) {
        let outer = self.0.take();
        WATCH.with_borrow_mut(|watch| *watch = outer);
    }
}

/// Says that the current runtime is a host's.
pub(crate) fn this_runtime_is(host: &str) {
    let id = Handle::current().id().to_string();
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch.runtimes.insert(id, host.to_owned());
        }
    });
}

fn keep(info: &PanicHookInfo<'_>) -> bool {
    let runtime = Handle::try_current().map(|handle| handle.id().to_string());
    let message = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
    WATCH
        .try_with(|watch| {
            let Ok(mut watch) = watch.try_borrow_mut() else { return false };
            let Some(watch) = watch.as_mut() else { return false };
            let host = runtime.ok().and_then(|id| watch.runtimes.get(&id).cloned());
            watch.first.get_or_insert_with(|| HostPanic {
                host: host.unwrap_or_else(|| "the world itself".to_owned()),
                message: format!("{message}{place}"),
            });
            true
        })
        .unwrap_or(false)
}
