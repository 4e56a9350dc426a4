//! Edits that are dropped at each of their await points: each is applied once or not at all, and
//! the next edit of the same group ends and keeps the other keys.

use std::time::Duration;

use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{
    Client, Error, NewSecretGroup, RetryPolicy, SecretStoreKind, SecretUpdate,
};

use crate::common::*;

const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
const LATE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug)]
enum Kind {
    ById,
    ByName,
    Planned,
    Removal,
    EnsureKeys,
    EnsureGroup,
    FullList,
}

const KINDS: [Kind; 7] = [
    Kind::ById,
    Kind::ByName,
    Kind::Planned,
    Kind::Removal,
    Kind::EnsureKeys,
    Kind::EnsureGroup,
    Kind::FullList,
];

/// What else goes wrong.
#[derive(Clone, Copy, Debug)]
enum Weather {
    Fair,
    /// Each response is late, so that the future can be dropped while it waits for it.
    Slow,
    /// Writes are done long after their connection broke.
    LateWrites,
    /// They are done, and their responses lost.
    LostWrites,
    /// Reads are retried.
    LostReads,
    /// The group's response lists no keys, and neither does that to a write.
    Unlisted,
}

const WEATHERS: [Weather; 6] = [
    Weather::Fair,
    Weather::Slow,
    Weather::LateWrites,
    Weather::LostWrites,
    Weather::LostReads,
    Weather::Unlisted,
];

impl Weather {
    async fn fake(self, kind: Kind) -> FakeTrueFoundry {
        let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
        let fake = match kind {
            Kind::EnsureGroup => fake,
            _ => fake.with_group(APP, ["A", "B", "C"].map(|key| (key, "old"))),
        };
        match self {
            Self::Fair => {}
            Self::Slow => fake.inject(Fault::delay(Duration::from_millis(5)).forever().on("*")),
            Self::LateWrites => {
                fake.inject(Fault::delay_work(LATE).on(PUT));
                fake.inject(Fault::delay_work(LATE).on(DELETE));
            }
            Self::LostWrites => {
                for operation in [PUT, DELETE, CREATE] {
                    fake.inject(Fault::drop_after().on(operation));
                }
            }
            Self::LostReads => {
                for operation in [BY_NAME, GET, LIST, STORE] {
                    fake.inject(Fault::cut_body().on(operation));
                }
            }
            Self::Unlisted => return fake.with_associated_secrets(0),
        }
        fake
    }
}

async fn act(kind: Kind, fake: &FakeTrueFoundry, client: &Client) -> Result<(), Error> {
    let groups = client.secret_groups();
    let id = || fake.group_id(APP).unwrap();
    let store = fake.store_id(&SecretStoreKind::Generic).unwrap();
    let ensured = || {
        ["A", "NEW"]
            .iter()
            .fold(NewSecretGroup::in_integration(APP, &store), |new, key| new.secret(*key, "new"))
    };
    match kind {
        Kind::ById => groups.edit(id()).set("A", "new").remove("B").apply().await.map(drop),
        Kind::ByName => {
            groups.edit_by_name(APP).set("A", "new").set("NEW", "new").apply().await.map(drop)
        }
        Kind::Planned => {
            let plan = groups.edit(id()).set("A", "new").set("NEW", "new").remove("B").plan();
            plan.await?.apply().await.map(drop)
        }
        Kind::Removal => groups.edit(id()).remove("A").remove("B").apply().await.map(drop),
        Kind::FullList => {
            let kept = [SecretUpdate::keep("B"), SecretUpdate::keep("C")];
            let set = ["A", "NEW"].map(|key| SecretUpdate::set(key, "new"));
            groups.replace_secrets(id(), &[kept, set].concat()).await.map(drop)
        }
        Kind::EnsureKeys | Kind::EnsureGroup => groups.ensure(ensured()).await.map(drop),
    }
}

/// The possible key lists afterwards, with the value of `A` if it exists.
fn allowed(kind: Kind) -> &'static [&'static [&'static str]] {
    match kind {
        Kind::ById => &[&["A=old", "B", "C"], &["A=new", "C"]],
        Kind::ByName | Kind::FullList => &[&["A=old", "B", "C"], &["A=new", "B", "C", "NEW"]],
        Kind::Planned => &[&["A=old", "B", "C"], &["A=new", "C", "NEW"]],
        Kind::Removal => &[&["A=old", "B", "C"], &["B", "C"], &["C"]],
        Kind::EnsureKeys => &[&["A=old", "B", "C"], &["A=old", "B", "C", "NEW"]],
        Kind::EnsureGroup => &[&[], &["A=new", "NEW"]],
    }
}

fn state(fake: &FakeTrueFoundry) -> Vec<String> {
    let of = |key: String| match &*key {
        "A" => format!("A={}", fake.value(APP, "A").unwrap()),
        _ => key,
    };
    let keys = fake.keys(APP).into_iter().filter(|key| key != "NEXT");
    keys.map(of).collect()
}

fn client(fake: &FakeTrueFoundry) -> Client {
    fake.client_builder()
        .tenant(fake.tenant())
        .unconfirmed_write_timeout(WRITE_TIMEOUT)
        .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .build()
        .unwrap()
}

/// Drops the edit after this many polls. Returns whether it was done before.
async fn dropped_after(polls: usize, kind: Kind, weather: Weather) -> bool {
    let case = format!("{kind:?} in {weather:?}, dropped after {polls} polls");
    let fake = weather.fake(kind).await;
    let client = client(&fake);
    let result = give_up_after(polls, act(kind, &fake, &client)).await;
    if let Some(Err(error)) = &result {
        assert!(error.may_have_been_applied(), "{case}: {error:?}");
    }
    fake.clear_faults();
    let before = state(&fake);
    assert!(
        allowed(kind).contains(&&*before.iter().map(String::as_str).collect::<Vec<_>>()),
        "{case}: {before:?}"
    );
    if let Some(id) = fake.group_id(APP) {
        let next = client.secret_groups().edit(id).set("NEXT", "edit").apply();
        tokio::time::timeout(WRITE_TIMEOUT * 3, next).await.expect(&case).expect(&case);
    }
    // Whatever is still under way arrives now.
    tokio::time::sleep(WRITE_TIMEOUT).await;
    fake.idle().await;
    let after = state(&fake);
    assert!(
        allowed(kind).contains(&&*after.iter().map(String::as_str).collect::<Vec<_>>()),
        "{case}: {after:?}"
    );
    let next = fake.value(APP, "NEXT");
    assert!(next.is_some() || matches!(kind, Kind::EnsureGroup), "{case}: a late write deleted it");
    for key in fake.keys(APP) {
        let most = if matches!(key.as_str(), "A") { 2 } else { 1 };
        assert!(fake.version(APP, &key) <= Some(most), "{case}: {key} was written twice");
    }
    result.is_some()
}

#[tokio::test(start_paused = true)]
async fn edits_that_are_dropped_at_any_await_point_lose_nothing() {
    let mut dropped = 0;
    for weather in WEATHERS {
        for kind in KINDS {
            let mut polls = 0;
            while !dropped_after(polls, kind, weather).await {
                polls += 1;
            }
            eprintln!("{kind:?} in {weather:?}: {polls} polls");
            dropped += polls;
        }
    }
    eprintln!("{dropped} cancellations");
    assert!(dropped >= 316, "{dropped}");
}
