//! A key in a file that another program replaces.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{advance, sleep};
use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{Client, Error, KeyFile};

use crate::common::token;
use crate::support::raw::{Act, RawServer, ok};
use crate::support::{assert_well_formed, builder};

fn client(fake: &FakeTrueFoundry, path: &Path) -> Client {
    builder(fake.base_url()).credentials(KeyFile::new(path)).build().unwrap()
}

fn sent(fake: &FakeTrueFoundry) -> Vec<String> {
    let requests = fake.requests();
    let sent = requests.iter().map(|request| request.header("authorization").unwrap());
    sent.map(|header| header.strip_prefix("Bearer ").unwrap().to_owned()).collect()
}

/// As the kubelet writes a volume: `key` is a link to `..data/key`, and `..data` one to a folder with a time in its
/// name, which is replaced by a rename.
#[cfg(unix)]
struct Volume(TempDir);

#[cfg(unix)]
impl Volume {
    fn new(key: &str) -> Self {
        let volume = Self(TempDir::new().unwrap());
        std::os::unix::fs::symlink("..data/key", volume.path()).unwrap();
        volume.write(0, key);
        volume
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("key")
    }

    fn write(&self, generation: usize, key: &str) {
        let folder = |generation| self.0.path().join(format!("..2026_11_26_{generation}"));
        fs::create_dir(folder(generation)).unwrap();
        fs::write(folder(generation).join("key"), key).unwrap();
        let (next, data) = (self.0.path().join("..data_tmp"), self.0.path().join("..data"));
        std::os::unix::fs::symlink(folder(generation).file_name().unwrap(), &next).unwrap();
        fs::rename(next, data).unwrap();
        if let Some(before) = generation.checked_sub(1) {
            fs::remove_dir_all(folder(before)).unwrap();
        }
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_while_a_mounted_key_is_replaced() {
    replace_mounted_key(40).await;
}

#[cfg(unix)]
#[ignore = "it takes ten seconds; `.ci/run mounted-key` runs it"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn none_of_ten_thousand_calls_fails_while_a_mounted_key_is_replaced() {
    replace_mounted_key(500).await;
}

/// 20 times, with this many calls around each.
#[cfg(unix)]
async fn replace_mounted_key(calls: usize) {
    use futures_util::{StreamExt as _, stream};

    const SWAPS: usize = 20;

    let fake = FakeTrueFoundry::start().await.with_recording_limit(0);
    let volume = Volume::new(token(&fake));
    let client = client(&fake, &volume.path());
    for generation in 1..=SWAPS {
        let under_way = stream::iter(0..calls).map(|_| client.whoami()).buffer_unordered(8);
        let swap = async {
            // The old key is good for an hour, the new one for two hours less a minute.
            fake.advance_token_clock(Duration::from_secs(3540));
            let key = format!("{}\n", token(&fake));
            volume.write(generation, &key);
            // From now on the old one is refused.
            fake.advance_token_clock(Duration::from_secs(120));
        };
        let (results, ()) = futures_util::future::join(under_way.collect::<Vec<_>>(), async {
            while fake.request_count() < generation * calls - calls / 2 {
                tokio::task::yield_now().await;
            }
            swap.await;
        })
        .await;
        let failed: Vec<Error> = results.into_iter().filter_map(Result::err).collect();
        assert!(failed.is_empty(), "{} of generation {generation}, {:?}", failed.len(), failed[0]);
    }
    let requests = fake.request_count();
    let repeated = requests - SWAPS * calls;
    // At most the calls that were under way at a swap, and at least one for each swap.
    assert!((SWAPS..=8 * SWAPS).contains(&repeated), "{repeated}");
}

#[tokio::test(start_paused = true)]
async fn the_file_is_looked_at_every_30_seconds() {
    let fake = FakeTrueFoundry::start().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    let (one, two) = (token(&fake), token(&fake));
    fs::write(&path, format!("{one}\n")).unwrap();
    let client = client(&fake, &path);
    client.whoami().await.unwrap();
    fs::write(&path, format!("{two}\r\n\n")).unwrap();
    advance(Duration::from_secs(29)).await;
    client.whoami().await.unwrap();
    advance(Duration::from_secs(2)).await;
    client.whoami().await.unwrap();
    assert_eq!(sent(&fake), [one, one, two]);
}

#[tokio::test(start_paused = true)]
async fn an_unusable_file_leaves_the_key_in_use() {
    let fake = FakeTrueFoundry::start().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    let (one, two) = (token(&fake), token(&fake));
    fs::write(&path, one).unwrap();
    let client = client(&fake, &path);
    client.whoami().await.unwrap();
    let long = "x".repeat(100_000);
    for content in ["", " \n", "two words", &long] {
        fs::write(&path, content).unwrap();
        sleep(Duration::from_secs(31)).await;
        client.whoami().await.unwrap();
    }
    fs::write(&path, b"\xff\xfe").unwrap();
    sleep(Duration::from_secs(31)).await;
    client.whoami().await.unwrap();
    fs::remove_file(&path).unwrap();
    sleep(Duration::from_secs(31)).await;
    client.whoami().await.unwrap();
    assert_eq!(sent(&fake), [one; 7]);
    fs::write(&path, two).unwrap();
    sleep(Duration::from_secs(31)).await;
    client.whoami().await.unwrap();
    assert_eq!(sent(&fake).last().unwrap(), two);
}

/// No key is in use yet, so none can be kept.
#[tokio::test]
async fn a_file_that_is_unusable_at_first_is_named_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = RawServer::start(|_, _| Act::Send(ok("{}")));
    fs::write(path("empty"), "\n").unwrap();
    fs::write(path("binary"), b"\xff").unwrap();
    fs::write(path("words"), "two words").unwrap();
    let mut cases =
        vec![("empty", "it is empty"), ("binary", "it is not UTF-8"), ("missing", "(os error 2)")];
    #[cfg(unix)]
    {
        // Opening it would wait until something is written to it.
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        cases.push(("pipe", "it is not a file"));
    }
    for (name, reason) in cases {
        let client = builder(server.url()).credentials(KeyFile::new(path(name))).build().unwrap();
        let error = client.whoami().await.unwrap_err();
        let Error::Credentials { source, .. } = &error else { panic!("{error:?}") };
        let text = source.to_string();
        assert!(text.contains(name) && text.ends_with(reason), "{text}");
        assert_well_formed(&error);
    }
    let words = builder(server.url()).credentials(KeyFile::new(path("words"))).build().unwrap();
    let error = words.whoami().await.unwrap_err();
    assert!(error.hint().contains("the token contains whitespace"), "{}", error.hint());
    assert_eq!(server.count(), 0);
}
