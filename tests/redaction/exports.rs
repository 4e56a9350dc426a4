//! Notices a snapshot that is older than the code, if the tool that writes it is not installed.

use std::collections::BTreeSet;

use crate::api::SNAPSHOT;

#[test]
fn the_snapshot_has_the_names_that_are_exported() {
    let mut exported = exported(include_str!("../../src/lib.rs"));
    let testing = self::exported(include_str!("../../src/testing/mod.rs"));
    exported.extend(testing.into_iter().map(|name| format!("testing::{name}")));
    let listed: BTreeSet<String> = SNAPSHOT.lines().filter_map(listed).collect();
    let differ: Vec<_> = exported.symmetric_difference(&listed).collect();
    assert!(
        differ.is_empty(),
        "exported by the crate or listed in tests/public-api.txt, but not both: {differ:?}; \
         `.ci/public_api/write tests/public-api.txt` writes it anew"
    );
}

/// The names after `pub use`.
fn exported(source: &str) -> BTreeSet<String> {
    let code: Vec<_> = source.lines().filter(|line| !line.trim().starts_with("//")).collect();
    let code = code.join(" ");
    let statements = code.split(';').filter_map(|one| one.split_once("pub use "));
    let names = statements.flat_map(|(_, used)| {
        let names = used.split_once('{').map_or_else(
            || used.rsplit("::").next().unwrap_or_default(),
            |(_, names)| names.trim_end_matches('}'),
        );
        names.split(',').map(|name| name.trim().to_owned())
    });
    names.filter(|name| !name.is_empty()).collect()
}

/// The name that a line is about, unless that is a module or a part of another line's item.
fn listed(line: &str) -> Option<String> {
    let item = line.trim_start_matches("#[non_exhaustive] ").strip_prefix("pub ")?;
    let path = item.split(' ').find_map(|word| word.strip_prefix("truefoundry_secrets::"))?;
    let end = path.find(|one: char| !one.is_alphanumeric() && one != '_' && one != ':');
    let name = path.get(..end.unwrap_or(path.len()))?;
    let name = name.trim_end_matches(':');
    let part = name.strip_prefix("testing::").unwrap_or(name).contains(':');
    (!part && !item.starts_with("mod ")).then(|| name.to_owned())
}
