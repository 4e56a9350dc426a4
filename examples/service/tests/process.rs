//! The service as a process, with a fake control plane on a real port.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};
use truefoundry_secrets::reqwest;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};

/// No step takes nearly as long.
const DEADLINE: Duration = Duration::from_secs(60);

async fn fake() -> FakeTrueFoundry {
    FakeTrueFoundry::start()
        .await
        .with_group("prod-secrets", [("DB_PASSWORD", "first-password"), ("POOL_SIZE", "5")])
}

fn command(fake: &FakeTrueFoundry) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
    command
        .env_clear()
        // Without a login of the tfy CLI, which this machine's user may have.
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .envs([("TFY_BASE_URL", fake.base_url().as_str()), ("TFY_API_KEY", fake.api_key())])
        .env("SETTINGS_EVERY", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

struct Service {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
    http: reqwest::Client,
}

impl Service {
    async fn start(fake: &FakeTrueFoundry) -> Self {
        let mut child = command(fake).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(DEADLINE, lines.next_line()).await.unwrap().unwrap().unwrap();
        let url = line.strip_prefix("listening on ").unwrap().to_owned();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { child, lines, url, http }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    /// Asks until the response is as expected.
    async fn until(&self, path: &str, expected: impl Fn(u16, &Value) -> bool) -> Value {
        let asking = async {
            loop {
                let (status, body) = self.get(path).await;
                if expected(status, &body) {
                    return body;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(DEADLINE, asking).await.expect(path)
    }

    async fn line(&mut self) -> String {
        timeout(DEADLINE, self.lines.next_line()).await.unwrap().unwrap().unwrap()
    }

    /// How it ended, and what it printed that had not been read.
    async fn stop(mut self, signal: Signal) -> (ExitStatus, String) {
        let pid = Pid::from_raw(self.child.id().unwrap().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
        let status = timeout(DEADLINE, self.child.wait()).await.unwrap().unwrap();
        let mut rest = String::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            rest += &line;
        }
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).await.unwrap();
        let (identity, more) = stderr.split_once('\n').unwrap();
        assert!(identity.ends_with("as Some(\"ada@example.com\")"), "{identity}");
        (status, rest + more)
    }
}

#[tokio::test]
async fn a_rotation_by_another_client_reaches_the_service() {
    let fake = fake().await;
    let mut service = Service::start(&fake).await;
    let (status, pool) = service.get("/pool").await;
    assert_eq!((status, pool["size"].as_u64()), (200, Some(5)));
    assert_eq!(pool["password"], "(set)");

    let other = fake.client();
    let groups = other.secret_groups();
    let edit = groups.edit_by_name("prod-secrets");
    edit.set("DB_PASSWORD", "second-password").set("POOL_SIZE", "6").apply().await.unwrap();
    service.until("/pool", |_, pool| pool["size"] == 6).await;
    assert_eq!(service.line().await, "rotated: DB_PASSWORD, POOL_SIZE");

    let (status, rest) = service.stop(Signal::TERM).await;
    assert_eq!((status.code(), rest.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn an_outage_shows_in_the_health_and_nowhere_else() {
    let fake = fake().await;
    let service = Service::start(&fake).await;
    let (status, health) = service.get("/health").await;
    assert_eq!((status, &health["last_error"]), (200, &Value::Null));

    fake.inject(Fault::status(503).message("maintenance").forever());
    let failing = service.until("/health", |_, health| health["last_error"].is_string()).await;
    assert!(failing["last_error"].as_str().unwrap().contains("maintenance"), "{failing}");
    let stale = service.until("/health", |status, _| status == 503).await;
    assert!(stale["age_seconds"].as_u64().unwrap() >= 5, "{stale}");
    let (status, pool) = service.get("/pool").await;
    assert_eq!((status, pool["size"].as_u64()), (200, Some(5)), "it goes on with what it has");

    fake.clear_faults();
    fake.set_value("prod-secrets", "POOL_SIZE", "many");
    let invalid = |_, health: &Value| health["last_error"].to_string().contains("POOL_SIZE");
    let text = service.until("/health", invalid).await.to_string();
    assert!(!text.contains("many") && !text.contains("password"), "{text}");

    fake.set_value("prod-secrets", "POOL_SIZE", "7");
    service.until("/pool", |_, pool| pool["size"] == 7).await;
    let healthy = service.until("/health", |status, _| status == 200).await;
    assert_eq!(healthy["last_error"], Value::Null);

    let (status, rest) = service.stop(Signal::INT).await;
    assert_eq!(status.code(), Some(0));
    assert_eq!(rest, "rotated: POOL_SIZE");
}

/// One line, which says what to do.
async fn refused(mut command: Command) -> String {
    let output = timeout(DEADLINE, command.output()).await.unwrap().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{text}");
    let mut lines: Vec<_> = text.lines().collect();
    let last = lines.pop().unwrap();
    assert!(
        lines.iter().all(|line| line.contains(" as Some(")) && last.contains("(hint: "),
        "{text}"
    );
    last.to_owned()
}

#[tokio::test]
async fn settings_that_cannot_be_used_end_it_with_one_line() {
    let fake = fake().await;
    fake.set_value("prod-secrets", "POOL_SIZE", "many");
    fake.remove_key("prod-secrets", "DB_PASSWORD");
    let text = refused(command(&fake)).await;
    assert!(text.contains("POOL_SIZE") && text.contains("db_password"), "{text}");
    assert!(!text.contains("many"), "{text}");

    fake.remove_group("prod-secrets");
    assert!(refused(command(&fake)).await.contains("prod-secrets"));
    let mut unconfigured = command(&fake);
    unconfigured.env_remove("TFY_BASE_URL");
    assert!(refused(unconfigured).await.contains("TFY_BASE_URL"));
}
