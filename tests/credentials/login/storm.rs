//! Many processes share a login through many expiries.

use std::collections::BTreeSet;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};

use super::*;

const FILE: &str = "CREDENTIALS_TEST_FILE";

struct Storm {
    processes: usize,
    expiries: usize,
    calls_between: usize,
}

/// Fewer processes and expiries than [`WHOLE`].
const SMALL: Storm = Storm { processes: 4, expiries: 5, calls_between: 4 };
/// 10 processes × 100 calls over 20 expiries.
const WHOLE: Storm = Storm { processes: 10, expiries: 20, calls_between: 5 };

struct Process {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(file: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "login::storm::process", "--ignored", "--nocapture"])
            .env(FILE, file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, orders, answers }
    }

    /// How many of the process's calls failed.
    async fn failures(&mut self) -> usize {
        loop {
            let line = self.answers.next_line().await.unwrap().expect("it ended before");
            if let Some((_, failures)) = line.split_once("failures: ") {
                return failures.parse().unwrap();
            }
        }
    }
}

/// Makes as many calls as each line of input says.
#[tokio::test]
#[ignore = "a part of other tests, which start it in processes of its own"]
async fn process() {
    let login = CliLogin::open(std::env::var(FILE).unwrap()).unwrap();
    let client = Client::builder().base_url(login.host()).credentials(login).build().unwrap();
    let next = || std::io::stdin().lines().next().map(Result::unwrap);
    while let Some(order) = tokio::task::spawn_blocking(next).await.unwrap() {
        let mut failures = 0;
        for _ in 0..order.parse().unwrap() {
            failures += usize::from(call(&client).await.is_err());
        }
        println!("failures: {failures}");
    }
}

impl Storm {
    /// Returns the failed calls, and the refresh tokens that were sent.
    async fn run(&self, file_of: impl Fn(&Home, usize) -> PathBuf) -> (usize, Vec<String>) {
        let fake = FakeTrueFoundry::start().await;
        let home = Home::with(&fake.login());
        // As over a network.
        fake.inject(Fault::delay(Duration::from_millis(10)).forever().on("oauth2.token"));
        let mut processes: Vec<_> =
            (0..self.processes).map(|n| Process::start(&file_of(&home, n))).collect();
        let mut failures = 0;
        for _ in 0..self.expiries {
            // All of them meet the expiry at the same time.
            fake.advance_token_clock(HOUR);
            for process in &mut processes {
                let order = format!("{}\n", self.calls_between);
                process.orders.write_all(order.as_bytes()).await.unwrap();
            }
            for process in &mut processes {
                failures += process.failures().await;
            }
        }
        for Process { mut child, orders, mut answers } in processes {
            drop(orders);
            while answers.next_line().await.unwrap().is_some() {}
            assert!(child.wait().await.unwrap().success());
        }
        (failures, spent(&fake))
    }

    async fn with_the_lock(&self) {
        let (failures, spent) = self.run(|home, _| home.file()).await;
        assert_eq!(failures, 0);
        assert_eq!(spent.len(), self.expiries);
        assert_eq!(spent.iter().collect::<BTreeSet<_>>().len(), self.expiries);
    }

    /// Each process has its own symlink to the file, and so its own lock.
    async fn without_the_lock(&self) {
        let own_link = |home: &Home, n: usize| {
            let link = home.path().join(format!("login-{n}.json"));
            std::os::unix::fs::symlink(home.file(), &link).unwrap();
            link
        };
        let (failures, spent) = self.run(own_link).await;
        assert!(failures > 0, "the lock is not what prevents failures");
        assert!(spent.iter().collect::<BTreeSet<_>>().len() < spent.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_and_each_refresh_token_is_used_once() {
    SMALL.with_the_lock().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_calls_fail() {
    SMALL.without_the_lock().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes seconds: a step of its own in .ci/run"]
async fn whole() {
    WHOLE.with_the_lock().await;
    WHOLE.without_the_lock().await;
}
