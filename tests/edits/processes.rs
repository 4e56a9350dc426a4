//! Several processes edit one group: they share no queue, only the control plane.
//!
//! The parent starts this test binary again for each of them, to run the one test that is otherwise
//! ignored, and tells it on its standard input when to continue.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Client, Edit, Error, NewSecretGroup, RetryPolicy, SecretStoreKind};

use crate::common::*;

const PART: &str = "EDITS_TEST_PART";
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// Another process, and its two lines of communication.
struct Process {
    child: Child,
    orders: ChildStdin,
    responses: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(fake: &FakeTrueFoundry, part: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::child", "--ignored", "--nocapture"])
            .env("TFY_BASE_URL", fake.base_url())
            .env("TFY_API_KEY", fake.api_key())
            .env(PART, part)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let responses = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, orders, responses }
    }

    async fn order(&mut self, order: &str) {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.unwrap();
        self.orders.flush().await.unwrap();
    }

    /// The next line that it prints; the test harness prints other lines in between.
    async fn response(&mut self) -> String {
        loop {
            let line = self.responses.next_line().await.unwrap().expect("it ended before");
            if let Some((_, response)) = line.split_once("child says ") {
                return response.to_owned();
            }
        }
    }

    async fn end(mut self) {
        drop(self.orders);
        while self.responses.next_line().await.unwrap().is_some() {}
        assert!(self.child.wait().await.unwrap().success());
    }
}

#[tokio::test]
#[ignore = "a part of other tests, which start it in processes of its own"]
async fn child() {
    let part = std::env::var(PART).unwrap();
    let client = Client::builder()
        .base_url(std::env::var("TFY_BASE_URL").unwrap())
        .api_key(std::env::var("TFY_API_KEY").unwrap())
        .unconfirmed_write_timeout(WRITE_TIMEOUT)
        .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .build()
        .unwrap();
    match part.split_once(' ').unwrap() {
        ("remove", number) => remove_all(&client, number).await,
        ("set", key) => set_on_order(&client, key).await,
        ("ensure", store) => ensure_on_order(&client, store).await,
        other => panic!("{other:?}"),
    }
}

/// Removes all keys that begin with the number, a few at a time, by plan and directly.
async fn remove_all(client: &Client, number: &str) {
    let group = client.secret_groups().get_by_name(APP).await.unwrap();
    let mut random = Random::new(number.parse().unwrap());
    let listed = group.secrets().unwrap().iter().map(|secret| secret.key().unwrap().to_owned());
    let mut left: Vec<String> = listed.filter(|key| key.starts_with(number)).collect();
    assert_eq!(left.len(), 20);
    while !left.is_empty() {
        let count = (1 + random.below(3)).min(left.len());
        let now = left.split_off(left.len() - count);
        loop {
            let edit = now.iter().fold(client.secret_groups().edit(group.id()), Edit::remove);
            let result = if random.one_in(2) {
                match edit.plan().await {
                    Ok(plan) => plan.apply().await,
                    Err(error) => Err(error),
                }
            } else {
                edit.apply().await
            };
            match result {
                Ok(_) => break,
                Err(Error::ConcurrentEdit { applied: false, .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

/// Plans a new key, reports that, applies the plan when told to, and reports the result.
async fn set_on_order(client: &Client, key: &str) {
    let edit = client.secret_groups().edit_by_name(APP).set(key, format!("value of {key}"));
    let plan = edit.plan().await.unwrap();
    println!("child says planned");
    // This blocks the thread, which has nothing else to do.
    assert_eq!(std::io::stdin().lines().next().unwrap().unwrap(), "apply");
    match plan.apply().await {
        Ok(_) => println!("child says applied"),
        Err(Error::ConcurrentEdit { added, applied: false, .. }) => {
            println!("child says concurrent {}", added.join(" "));
        }
        Err(error) => panic!("{error:?}"),
    }
}

const ENSURED: [&str; 4] = ["A", "B", "C", "D"];

async fn ensure_on_order(client: &Client, store: &str) {
    client.check().await.unwrap();
    println!("child says ready");
    assert_eq!(std::io::stdin().lines().next().unwrap().unwrap(), "go");
    let new = NewSecretGroup::in_integration(APP, store).skip_store_rules();
    let new = ENSURED.iter().fold(new, |new, key| new.secret(*key, format!("value of {key}")));
    client.secret_groups().ensure(new).await.unwrap();
    println!("child says done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_processes_that_ensure_the_same_keys_end_with_all_of_them() {
    for exists in [false, true] {
        let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
        let store = fake.store_id(&SecretStoreKind::Generic).unwrap();
        let fake = if exists { fake.with_group(APP, [("A", "theirs")]) } else { fake };
        let mut processes: Vec<_> =
            (0..10).map(|_| Process::start(&fake, &format!("ensure {store}"))).collect();
        for process in &mut processes {
            assert_eq!(process.response().await, "ready");
        }
        for process in &mut processes {
            process.order("go").await;
        }
        for mut process in processes {
            assert_eq!(process.response().await, "done");
            process.end().await;
        }
        assert_eq!(fake.keys(APP), ENSURED);
        let a = if exists { "theirs" } else { "value of A" };
        assert_eq!(fake.value(APP, "A").as_deref(), Some(a));
        // At most one version from each process, and no new version of an existing key.
        assert_eq!(fake.version(APP, "A"), Some(1));
        for key in &ENSURED[1..] {
            assert_eq!(fake.value(APP, key), Some(format!("value of {key}")));
            assert!(fake.version(APP, key).unwrap() <= 10, "{key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_that_only_remove_lose_no_key_of_another_process() {
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
    let to_go = (1..=4).flat_map(|number| (0..20).map(move |key| format!("{number}-{key}")));
    let to_stay = (0..10).map(|key| format!("STAYS-{key}"));
    let pairs = to_go.chain(to_stay).map(|key| (key.clone(), format!("value of {key}")));
    let fake = fake.with_group(APP, pairs);
    // Another process keeps adding keys, at the worst moments.
    let mut added = 0;
    let mut expected: BTreeSet<String> = (0..10).map(|key| format!("STAYS-{key}")).collect();
    fake.on_request(DELETE, move |fake, _| {
        added += 1;
        if added % 3 == 0 {
            fake.set_value(APP, &format!("ADDED-{added}"), "by another process");
        }
    });
    let processes: Vec<_> =
        (1..=4).map(|number| Process::start(&fake, &format!("remove {number}"))).collect();
    for process in processes {
        process.end().await;
    }
    let deletes = count(&fake, DELETE);
    assert!(deletes >= 80);
    expected.extend((1..=deletes).filter(|n| n % 3 == 0).map(|n| format!("ADDED-{n}")));
    let keys: BTreeSet<String> = fake.keys(APP).into_iter().collect();
    assert_eq!(keys, expected);
    for key in &keys {
        assert_eq!(fake.version(APP, key), Some(1), "{key}");
    }
    assert_eq!(count(&fake, PUT), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_wrote_before_the_re_read_is_reported() {
    let (fake, _) = app(&["A"]).await;
    let mut processes: Vec<_> =
        (1..=4).map(|number| Process::start(&fake, &format!("set KEY-{number}"))).collect();
    for process in &mut processes {
        assert_eq!(process.response().await, "planned");
    }
    for (index, process) in processes.iter_mut().enumerate() {
        process.order("apply").await;
        let expected = if index == 0 { "applied" } else { "concurrent KEY-1" };
        assert_eq!(process.response().await, expected);
    }
    for process in processes {
        process.end().await;
    }
    assert_eq!(fake.keys(APP), ["A", "KEY-1"]);
    assert_eq!(count(&fake, PUT), 1);
}

/// The one order that the documentation of `Edit` warns of, forced by a gate: `window.rs` shows
/// that it is the only one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_writes_between_the_re_read_and_the_write_is_lost_unseen() {
    let (fake, _) = app(&["A"]).await;
    let mut first = Process::start(&fake, "set FIRST");
    let mut second = Process::start(&fake, "set SECOND");
    assert_eq!(first.response().await, "planned");
    assert_eq!(second.response().await, "planned");
    let gate = fake.hold(PUT);
    first.order("apply").await;
    gate.reached().await;
    second.order("apply").await;
    assert_eq!(second.response().await, "applied");
    assert_eq!(fake.keys(APP), ["A", "SECOND"]);
    gate.release();
    assert_eq!(first.response().await, "applied");
    assert_eq!(fake.keys(APP), ["A", "FIRST"]);
    first.end().await;
    second.end().await;
}
