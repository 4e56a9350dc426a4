//! What each scenario does with the values.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use truefoundry_secrets::{
    Error, KeyFile, ListSecretGroups, NewSecretGroup, RetryPolicy, SecretStoreKind, SecretValue,
    Watch,
};
use zeroize::Zeroizing;

use crate::run::Run;
use crate::table::Does;

pub(crate) async fn measure(run: &mut Run) {
    run.counts.before = run.scan();
    match run.scenario.does {
        Does::Get(times) => get(run, times, 0).await,
        #[cfg(feature = "rustls")]
        Does::GetMore => get(run, 20, 180).await,
        Does::GetAfterList => get_after_list(run).await,
        Does::GetUntilEnded => get_until_ended(run).await,
        Does::GetTogether => get_together(run).await,
        Does::ResolveTogether => resolve_together(run).await,
        Does::Resolve(times) => resolve(run, times).await,
        Does::Watch => watch(run).await,
        Does::Create => create(run).await,
        Does::Edit => edit(run).await,
        Does::Sync => sync(run).await,
        Does::GetCancelled => get_cancelled(run).await,
        Does::CreateCancelled => create_cancelled(run).await,
        Does::GetFails => get_fails(run).await,
        Does::CreateRefused => create_refused(run).await,
        Does::PanicDuringGet => panic_during_get(run).await,
        Does::PanicWithValue => panic_with_value(run).await,
        Does::Key => key(run).await,
        Does::KeyFile => key_file(run).await,
    }
}

async fn get(run: &mut Run, times: usize, more: usize) {
    let client = run.client();
    let secret = client.secrets().get("s-1").await.unwrap();
    let length = secret.value().unwrap().len();
    run.holds();
    drop(secret);
    for _ in 1..times {
        drop(client.secrets().get("s-1").await.unwrap());
    }
    run.leaves();
    if more > 0 {
        for _ in 0..more {
            drop(client.secrets().get("s-1").await.unwrap());
        }
        run.counts.later = Some(run.scan());
    }
    let by_hand = run.by_hand();
    for _ in 0..times + more {
        assert_eq!(by_hand.get().await, Some(length));
    }
    run.leaves_by_hand();
}

/// A long response makes hyper's buffers for that connection longer, and hyper keeps them.
async fn get_after_list(run: &mut Run) {
    let client = run.client();
    client.secret_groups().list(&ListSecretGroups::new()).await.unwrap();
    for _ in 0..20 {
        let secret = client.secrets().get("s-1").await.unwrap();
        run.holds();
        drop(secret);
    }
    run.leaves();
    run.by_hand().get().await.unwrap();
    run.leaves_by_hand();
}

/// At most one connection is ended per second, so a second list in that time leaves one open. Its
/// buffer gathers values, and all of them are wiped when it is ended.
async fn get_until_ended(run: &mut Run) {
    let client = run.client();
    tokio::time::pause();
    // A paused clock advances by itself when nothing is left to do, but not while a task blocks.
    let (moves_on, stands_still) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || stands_still.recv().is_err());
    for _ in 0..2 {
        client.secret_groups().list(&ListSecretGroups::new()).await.unwrap();
        drop(client.secrets().get("s-1").await.unwrap());
    }
    for _ in 0..20 {
        let secret = client.secrets().get("s-1").await.unwrap();
        run.holds();
        drop(secret);
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    drop(client.secrets().get("s-1").await.unwrap());
    run.everybody_has_run().await;
    run.leaves();
    drop(moves_on);
    run.by_hand().get().await.unwrap();
    run.leaves_by_hand();
}

const TOGETHER: usize = 8;
const ROUNDS: usize = 20;

/// Each on a connection of its own.
async fn get_together(run: &mut Run) {
    let client = run.client();
    for _ in 0..ROUNDS {
        let secrets = together(|| {
            let client = client.clone();
            async move { client.secrets().get("s-1").await.unwrap() }
        });
        let secrets = secrets.await;
        run.holds();
        assert!(run.counts.held.whole >= TOGETHER, "not every value is seen");
        drop(secrets);
    }
    run.everybody_has_run().await;
    run.leaves();
    let by_hand = Arc::new(run.by_hand());
    for _ in 0..ROUNDS {
        together(|| {
            let by_hand = Arc::clone(&by_hand);
            async move { by_hand.get().await.unwrap() }
        })
        .await;
    }
    run.leaves_by_hand();
}

async fn resolve_together(run: &mut Run) {
    let client = run.client();
    for _ in 0..ROUNDS {
        let resolved = together(|| {
            let client = client.clone();
            async move { client.resolve_group("app").await.unwrap() }
        });
        let resolved = resolved.await;
        run.holds();
        assert!(run.counts.held.whole >= TOGETHER * 12, "not every value is seen");
        drop(resolved);
    }
    run.everybody_has_run().await;
    run.leaves();
    let group = client.secret_groups().get_by_name("app").await.unwrap();
    run.by_hand().list(group.id().as_str()).await;
    run.leaves_by_hand();
}

/// The results of concurrent tasks.
async fn together<F>(call: impl Fn() -> F) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: Vec<_> = (0..TOGETHER).map(|_| tokio::spawn(call())).collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

async fn resolve(run: &mut Run, times: usize) {
    let client = run.client();
    for _ in 0..times {
        let resolved = client.resolve_group("app").await.unwrap();
        assert_eq!(resolved.iter().count(), 12);
        run.holds();
    }
    run.leaves();
    let group = client.secret_groups().get_by_name("app").await.unwrap();
    run.by_hand().list(group.id().as_str()).await;
    run.leaves_by_hand();
}

/// Reads begin at most once per second.
async fn refresh(watch: &Watch) {
    tokio::time::advance(Duration::from_millis(1_100)).await;
    watch.refresh().await.unwrap();
}

/// Replaced values go with the last `Arc` of them.
async fn watch(run: &mut Run) {
    let client = run.client();
    tokio::time::pause();
    // A paused clock advances by itself when nothing is left to do, but not while a task blocks.
    let (moves_on, stands_still) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || stands_still.recv().is_err());
    let never = Duration::from_secs(1_000_000);
    let watch = client.watch_group("app").every(never).start().await.unwrap();
    let held = watch.current();
    // Every second read is one of other values, and so is the last of these.
    for _ in 0..201 {
        refresh(&watch).await;
    }
    run.holds();
    drop(held);
    run.leaves();
    let group = client.secret_groups().get_by_name("app").await.unwrap();
    run.by_hand().list(group.id().as_str()).await;
    run.leaves_by_hand();
    drop(moves_on);
}

async fn create(run: &mut Run) {
    let client = run.client();
    let store = client.secret_stores().find(SecretStoreKind::Generic).await.unwrap();
    let new = NewSecretGroup::new("made", &store).secret("KEY", run.value());
    run.holds();
    client.secret_groups().create(new).await.unwrap();
    run.leaves();
    run.by_hand().create(run.value()).await;
    run.leaves_by_hand();
}

async fn edit(run: &mut Run) {
    let client = run.client();
    let edit = client.secret_groups().edit_by_name("app").set("KEY-1", run.value());
    let edit = edit.set("NEW", run.value()).remove("KEY-2");
    run.holds();
    // It says what was done, and no longer holds values.
    let applied = edit.apply().await.unwrap();
    run.leaves();
    drop(applied);
    run.by_hand().create(run.value()).await;
    run.leaves_by_hand();
}

async fn sync(run: &mut Run) {
    let client = run.client();
    let desired: Vec<_> =
        ["KEY-0", "KEY-1", "KEY-2", "NEW"].iter().map(|key| (*key, run.value())).collect();
    let sync = client.secret_groups().sync("app", desired);
    run.holds();
    let applied = sync.apply().await.unwrap();
    assert_eq!((applied.added().len(), applied.rotated().len()), (1, 0));
    run.leaves();
    drop(applied);
    run.by_hand().create(run.value()).await;
    run.leaves_by_hand();
}

async fn get_cancelled(run: &mut Run) {
    let client = run.client();
    let call = tokio::spawn(async move { drop(client.secrets().get("s-1").await) });
    run.counts.held = run.arrived().await;
    cancel(run, call).await;
    run.leaves();
    let by_hand = run.by_hand();
    let call = tokio::spawn(async move { assert_eq!(by_hand.get().await, None) });
    run.arrived().await;
    cancel(run, call).await;
    run.leaves_by_hand();
}

async fn create_cancelled(run: &mut Run) {
    let client = run.client();
    let new = NewSecretGroup::in_integration("made", "i-1").secret("KEY", run.value());
    let call = tokio::spawn(async move { drop(client.secret_groups().create(new).await) });
    run.everybody_has_run().await;
    run.holds();
    cancel(run, call).await;
    run.leaves();
    let (by_hand, value) = (run.by_hand(), run.value());
    let call = tokio::spawn(async move { by_hand.create(value).await });
    run.everybody_has_run().await;
    cancel(run, call).await;
    run.leaves_by_hand();
}

async fn cancel(run: &Run, call: JoinHandle<()>) {
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    run.everybody_has_run().await;
}

/// The whole value has arrived before the response fails.
async fn get_fails(run: &mut Run) {
    let client = run.builder().retry(RetryPolicy::none()).build().unwrap();
    let call = tokio::spawn(async move { client.secrets().get("s-1").await });
    run.counts.held = run.arrived().await;
    run.release();
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Decode { .. } | Error::Transport { .. }), "{error:?}");
    run.leaves();
    drop(error);
    let by_hand = run.by_hand();
    let call = tokio::spawn(async move { by_hand.get().await });
    run.arrived().await;
    run.release();
    assert_eq!(call.await.unwrap(), None);
    run.leaves_by_hand();
}

async fn create_refused(run: &mut Run) {
    let client = run.client();
    let new = NewSecretGroup::in_integration("made", "i-1").secret("KEY", run.value());
    run.holds();
    let error = client.secret_groups().create(new).await.unwrap_err();
    assert_eq!(error.status(), Some(422));
    run.leaves();
    assert!(error.to_string().contains("(message withheld)"), "{error}");
    run.by_hand().create(run.value()).await;
    run.leaves_by_hand();
}

async fn panic_during_get(run: &mut Run) {
    let client = run.client();
    let (panic, call) = panicking(async move { drop(client.secrets().get("s-1").await) });
    run.counts.held = run.arrived().await;
    panic.send(()).unwrap();
    catch(run, call).await;
    run.leaves();
    let by_hand = run.by_hand();
    let (panic, call) = panicking(async move { assert_eq!(by_hand.get().await, None) });
    run.arrived().await;
    panic.send(()).unwrap();
    catch(run, call).await;
    run.leaves_by_hand();
}

/// A task that makes its calls, and panics when told to.
fn panicking(
    call: impl Future<Output = ()> + Send + 'static,
) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (panic, told) = oneshot::channel();
    let task = tokio::spawn(async move {
        let panicking = async {
            let _ = told.await;
            panic!("while the response is being read");
        };
        tokio::join!(call, panicking);
    });
    (panic, task)
}

async fn panic_with_value(run: &mut Run) {
    let client = run.client();
    let value = client.secrets().get("s-1").await.unwrap().into_value().unwrap();
    run.holds();
    let call = tokio::spawn(async move {
        let _held: SecretValue = value;
        panic!("with the value in hand");
    });
    catch(run, call).await;
    run.leaves();
    run.by_hand().get().await.unwrap();
    run.leaves_by_hand();
}

async fn catch(run: &Run, call: JoinHandle<()>) {
    // The panic is intended, so it is not printed.
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    assert!(call.await.unwrap_err().is_panic());
    std::panic::set_hook(loud);
    run.everybody_has_run().await;
}

async fn key(run: &mut Run) {
    let client = run.builder().api_key(run.value()).build().unwrap();
    drop(client.secrets().get("s-1").await);
    run.holds();
    drop(client);
    run.everybody_has_run().await;
    run.leaves();
    let by_hand = run.by_hand_with_key(run.value());
    by_hand.get().await;
    drop(by_hand);
    run.everybody_has_run().await;
    run.leaves_by_hand();
}

/// A key that was replaced is gone, although its client is still in use.
async fn key_file(run: &mut Run) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let client = run.builder().credentials(KeyFile::new(&path)).build().unwrap();
    tokio::time::pause();
    // A paused clock advances by itself when nothing is left to do, but not while a task blocks.
    let (moves_on, stands_still) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || stands_still.recv().is_err());
    for _ in 0..10 {
        std::fs::write(&path, Zeroizing::new(run.value()).as_bytes()).unwrap();
        tokio::time::advance(Duration::from_secs(31)).await;
        client.secret_groups().list(&ListSecretGroups::new()).await.unwrap();
        run.holds();
        std::fs::write(&path, "another-key-of-another-length").unwrap();
        tokio::time::advance(Duration::from_secs(31)).await;
        client.secret_groups().list(&ListSecretGroups::new()).await.unwrap();
    }
    run.everybody_has_run().await;
    run.leaves();
    drop(moves_on);
    let by_hand = run.by_hand_with_key(run.value());
    by_hand.get().await;
    drop(by_hand);
    run.everybody_has_run().await;
    run.leaves_by_hand();
}
