//! What stays in the kernel when its handles are gone: pinned programs and links, and links that were disconnected. It goes on counting against the
//! limits as long as the component runs.

use std::any::Any;
use std::collections::HashMap;

type Held = Box<dyn Any + Send + Sync>;

/// What a component left in the kernel on purpose.
#[derive(Default)]
pub(crate) struct Left {
    by_path: HashMap<String, Held>,
    for_good: Vec<Held>,
}

impl Left {
    /// Something has a name now, which keeps what holds a part of the limits.
    pub(crate) fn pinned(&mut self, path: &str, held: impl Any + Send + Sync) {
        // The path was free. What the component left there before was unpinned by somebody else.
        self.by_path.insert(path.to_owned(), Box::new(held));
    }

    /// Its name is gone.
    pub(crate) fn unpinned(&mut self, path: &str) {
        self.by_path.remove(path);
    }

    /// Something that the component cannot reach any more.
    pub(crate) fn disconnected(&mut self, held: impl Any + Send + Sync) {
        self.for_good.push(Box::new(held));
    }
}
