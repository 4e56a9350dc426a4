//! Random groups and edits: the state afterwards is always the model's.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Client, Error, SecretStoreKind};

use crate::common::*;

/// Value and version by key.
type Model = BTreeMap<String, (String, u32)>;

#[derive(Clone, Debug)]
struct Change {
    set: BTreeMap<String, String>,
    remove: Vec<String>,
    allow_empty: bool,
    planned: bool,
    by_name: bool,
}

/// Few, so that edits meet existing keys; some of them awkward.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..12_u8).prop_map(|number| format!("K{number}")),
        1 => prop::sample::select(vec!["", "a b", "ключ", "a\"b", "\u{1}", "a/../b", "K0 "])
            .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "v[0-4]",
        1 => Just(String::new()),
        1 => any::<String>().prop_filter("refused", |text| !text.ends_with("***") && text != "(set)"),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    (
        prop::collection::btree_map(key(), value(), 0..4),
        prop::collection::vec(key(), 0..4),
        any::<(bool, bool, bool)>(),
    )
        .prop_map(|(set, remove, (allow_empty, planned, by_name))| Change {
            set,
            remove,
            allow_empty,
            planned,
            by_name,
        })
}

fn group() -> impl Strategy<Value = BTreeMap<String, String>> {
    let key = key().prop_filter("no group has it", |key| !key.is_empty());
    prop::collection::btree_map(key, value(), 0..14)
}

/// Why the change cannot be made, or the group after it.
fn expected(before: &Model, change: &Change) -> Result<Model, &'static str> {
    let mut removed = std::collections::BTreeSet::new();
    let repeated = change.remove.iter().any(|key| !removed.insert(key));
    let both = change.remove.iter().any(|key| change.set.contains_key(key));
    let empty = change.set.contains_key("") || change.remove.iter().any(String::is_empty);
    if repeated || both || empty {
        return Err("invalid input");
    }
    if change.remove.iter().any(|key| !before.contains_key(key)) {
        return Err("not found");
    }
    let mut after = before.clone();
    after.retain(|key, _| !change.remove.contains(key));
    for (key, value) in &change.set {
        let known = after.entry(key.clone()).or_insert_with(|| (value.clone(), 1));
        if known.0 != *value {
            *known = (value.clone(), known.1 + 1);
        }
    }
    if after.is_empty() && !change.remove.is_empty() && !change.allow_empty {
        return Err("empty group");
    }
    Ok(after)
}

async fn apply(client: &Client, id: &str, change: &Change) -> Result<(), Error> {
    let groups = client.secret_groups();
    let mut edit = if change.by_name { groups.edit_by_name(APP) } else { groups.edit(id) };
    for (key, value) in &change.set {
        edit = edit.set(key, value.as_str());
    }
    for key in &change.remove {
        edit = edit.remove(key);
    }
    if change.allow_empty {
        edit = edit.allow_empty();
    }
    if change.planned {
        edit.plan().await?.apply().await.map(drop)
    } else {
        edit.apply().await.map(drop)
    }
}

fn state(fake: &FakeTrueFoundry) -> Model {
    let of = |key: &String| (fake.value(APP, key).unwrap(), fake.version(APP, key).unwrap());
    fake.keys(APP).into_iter().map(|key| (key.clone(), of(&key))).collect()
}

async fn check(
    group: BTreeMap<String, String>,
    changes: Vec<Change>,
    associated: usize,
) -> TestCaseResult {
    let fake = FakeTrueFoundry::start()
        .await
        .with_store(SecretStoreKind::Generic)
        .with_associated_secrets(associated)
        .with_page_limit(5)
        .with_group(APP, group);
    let id = fake.group_id(APP).unwrap();
    let client = client(&fake, Duration::from_secs(60));
    for change in &changes {
        let before = state(&fake);
        let result = apply(&client, &id, change).await;
        let after = state(&fake);
        match expected(&before, change) {
            Ok(model) => {
                prop_assert!(result.is_ok(), "{change:?}: {result:?}");
                prop_assert_eq!(after, model);
            }
            Err(reason) => {
                let error = result.unwrap_err();
                let fits = match reason {
                    "invalid input" => matches!(error, Error::InvalidInput { .. }),
                    "not found" => error.is_not_found(),
                    _ => matches!(error, Error::EmptyGroup { .. }),
                };
                prop_assert!(fits, "{reason}: {error:?}");
                prop_assert!(!error.may_have_been_applied());
                prop_assert_eq!(after, before, "nothing is written");
            }
        }
    }
    Ok(())
}

#[test]
fn the_state_after_an_edit_is_the_models() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() };
    let case = (group(), prop::collection::vec(change(), 1..6), 0..20_usize);
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&case, |(group, changes, associated)| {
            runtime.block_on(check(group, changes, associated))
        })
        .unwrap();
}
