//! Many creations on connections that die, before and after the work was done: none is done twice,
//! and the error says if it may have been done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use truefoundry_secrets::{Client, NewSecretGroup, RetryPolicy};

use crate::common::*;

const TASKS: usize = 25;
const CREATES: usize = 60;

/// What happens to one request and its connection.
#[derive(Clone, Copy)]
enum Fate {
    Unread,
    CutRequest,
    Undone,
    DoneWithoutResponse,
    DoneWithHalfAResponse,
    /// Done after the connection is closed.
    DoneLate,
    /// Done with a response; the connection is closed while it is idle in the client's pool.
    AnsweredThenClosed,
    Answered,
}

const FATES: [Fate; 12] = [
    Fate::Unread,
    Fate::CutRequest,
    Fate::Undone,
    Fate::DoneWithoutResponse,
    Fate::DoneWithHalfAResponse,
    Fate::DoneLate,
    Fate::AnsweredThenClosed,
    Fate::AnsweredThenClosed,
    Fate::AnsweredThenClosed,
    Fate::Answered,
    Fate::Answered,
    Fate::Answered,
];

/// A server that creates whatever it is asked to, each time that it is asked.
#[derive(Clone)]
struct Server {
    created: Arc<Mutex<HashMap<String, u32>>>,
    random: Arc<Mutex<Random>>,
}

impl Server {
    async fn start(seed: u64) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let random = Arc::new(Mutex::new(Random::new(seed)));
        let server = Self { created: Arc::default(), random };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        (server, url)
    }

    /// Each way out closes the connection, with a reset if something was not read.
    async fn serve(self, mut stream: TcpStream) -> Option<()> {
        loop {
            let fate = FATES[self.random.lock().unwrap().below(FATES.len())];
            stream.readable().await.ok()?;
            if matches!(fate, Fate::Unread) {
                return None;
            }
            let body = read_request(&mut stream, matches!(fate, Fate::CutRequest)).await?;
            if matches!(fate, Fate::Undone) {
                return None;
            }
            let name = body["name"].as_str().unwrap().to_owned();
            if matches!(fate, Fate::DoneLate) {
                drop(stream);
                tokio::time::sleep(Duration::from_millis(2)).await;
                self.create(&name);
                return None;
            }
            self.create(&name);
            let group = json!({ "data": { "id": name, "fqn": format!("t:{name}") } }).to_string();
            let length = group.len();
            let response =
                format!("HTTP/1.1 201 Created\r\ncontent-length: {length}\r\n\r\n{group}");
            let sent = match fate {
                Fate::DoneWithoutResponse => return None,
                Fate::DoneWithHalfAResponse => &response[..response.len() / 2],
                _ => &response,
            };
            stream.write_all(sent.as_bytes()).await.ok()?;
            if !matches!(fate, Fate::Answered) {
                return None;
            }
        }
    }

    fn create(&self, name: &str) {
        *self.created.lock().unwrap().entry(name.to_owned()).or_default() += 1;
    }
}

/// The body of the next request; `None` if the client has gone, or the request must be cut.
async fn read_request(stream: &mut TcpStream, cut: bool) -> Option<Value> {
    let mut bytes = Vec::new();
    let mut piece = [0; 256];
    loop {
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
        if cut {
            return None;
        }
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let body = head.map(|head| &bytes[head + 4..]).unwrap_or_default();
        if let Ok(body) = serde_json::from_slice(body) {
            return Some(body);
        }
    }
}

/// Whether each creation succeeded, and if not, whether its error says that it may have been done.
async fn create_some(client: Client, task: usize) -> Vec<(String, Result<(), bool>)> {
    let mut results = Vec::new();
    for number in 0..CREATES {
        let name = format!("group-{task}-{number}");
        let new = NewSecretGroup::in_integration(&name, "store").secret("KEY", "value");
        let result = client.secret_groups().create(new).await;
        results.push((name, result.map(drop).map_err(|error| error.may_have_been_applied())));
    }
    results
}

async fn creations(seed: u64) {
    eprintln!("EDITS_SEED={seed}");
    let (server, url) = Server::start(seed).await;
    let retry = RetryPolicy::default().base_delay(Duration::from_millis(1));
    let client = Client::builder().base_url(url).api_key("k").tenant("t").retry(retry);
    let client = client.build().unwrap();
    let tasks: Vec<_> =
        (0..TASKS).map(|task| tokio::spawn(create_some(client.clone(), task))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.extend(task.await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let created = server.created.lock().unwrap().clone();
    let (mut done, mut unclear, mut unclear_and_done) = (0, 0, 0);
    for (name, result) in &results {
        let times = created.get(name).copied().unwrap_or_default();
        assert!(times <= 1, "{name} was created {times} times: {result:?}");
        match result {
            Ok(()) => assert_eq!(times, 1, "{name}"),
            Err(true) => unclear += 1,
            Err(false) => assert_eq!(times, 0, "{name}"),
        }
        done += usize::from(result.is_ok());
        unclear_and_done += usize::from(*result == Err(true) && times == 1);
    }
    eprintln!("{done} done, {unclear} unclear of which {unclear_and_done} were done");
    assert_eq!(results.len(), TASKS * CREATES);
    assert!(done > results.len() / 4 && unclear_and_done > 0 && unclear > unclear_and_done);
}

#[tokio::test]
async fn fifteen_hundred_creations_on_dying_connections_create_nothing_twice() {
    creations(seed(0x5eed_0003)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_do_they_on_several_threads() {
    creations(seed(0x5eed_0004)).await;
}
