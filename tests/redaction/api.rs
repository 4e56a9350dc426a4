//! What the snapshot of the public API says that has to be walked.

use std::collections::BTreeSet;

/// Names of public types.
#[derive(Default)]
pub(crate) struct Snapshot {
    pub(crate) holders: BTreeSet<String>,
    pub(crate) serialized: BTreeSet<String>,
    pub(crate) error_variants: BTreeSet<String>,
}

impl Snapshot {
    pub(crate) fn read() -> Self {
        Self::default()
    }
}
