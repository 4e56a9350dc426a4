//! The types that must be walked, according to the snapshot of the public API.

use std::collections::BTreeSet;

pub(crate) const SNAPSHOT: &str = include_str!("../public-api.txt");

/// Names of public types, as users write them.
pub(crate) struct Snapshot {
    pub(crate) holders: BTreeSet<String>,
    /// Those of the holders that have a `Display`.
    pub(crate) displayed: BTreeSet<String>,
    pub(crate) serialized: BTreeSet<String>,
    pub(crate) error_variants: BTreeSet<String>,
}

impl Snapshot {
    pub(crate) fn read() -> Self {
        let holders = after("holds a secret: ");
        let displayed = after("core::fmt::Display for truefoundry_secrets::");
        let read = Self {
            displayed: holders.intersection(&displayed).cloned().collect(),
            holders,
            serialized: after("serde_core::ser::Serialize for truefoundry_secrets::"),
            error_variants: after("pub truefoundry_secrets::Error::"),
        };
        // A snapshot in another format must not pass for one without types to walk.
        for (names, one) in [
            (&read.holders, "SecretValue"),
            (&read.displayed, "SecretValue"),
            (&read.serialized, "SecretGroup"),
            (&read.error_variants, "Unauthorized"),
        ] {
            assert!(names.contains(one), "tests/public-api.txt cannot be read: {one} is missing");
        }
        read
    }
}

/// The text after `mark`, in the lines that end with it: `Error::Config` and not its fields.
fn after(mark: &str) -> BTreeSet<String> {
    let rests = SNAPSHOT.lines().filter_map(|line| line.split_once(mark));
    let names = rests.map(|(_, rest)| rest.split('<').next().unwrap_or_default());
    names.filter(|name| !name.contains([' ', ':']) || is_testing(name)).map(str::to_owned).collect()
}

fn is_testing(name: &str) -> bool {
    name.strip_prefix("testing::").is_some_and(|rest| !rest.contains(':'))
}
