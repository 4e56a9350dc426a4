//! A control plane whose lists are wrong: one group with its real keys, and 16 ways in which the
//! listed keys differ from them.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use truefoundry_secrets::{Client, RetryPolicy};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers};

pub(crate) const GROUP: &str = "g-1";

/// How a list differs from the real keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    NoTotal,
    TotalOfZero,
    TotalOfThePage,
    TotalTooLow,
    TotalTooHigh,
    TotalThatChanges,
    /// An entry is repeated in place of another.
    RepeatedInPlace,
    /// One entry is listed twice, and all others at least once.
    RepeatedInAddition,
    Missing,
    OrderThatChanges,
    /// The first entry again, under another identifier.
    TwoIdentifiers,
    PagesThatRepeat,
    NoLimit,
    NoPaging,
    /// The list of the group itself: its first ten.
    OwnCut,
    /// The list of the group itself, as long as it should be.
    OwnRepeated,
}

pub(crate) const LIES: [Lie; 16] = [
    Lie::NoTotal,
    Lie::TotalOfZero,
    Lie::TotalOfThePage,
    Lie::TotalTooLow,
    Lie::TotalTooHigh,
    Lie::TotalThatChanges,
    Lie::RepeatedInPlace,
    Lie::RepeatedInAddition,
    Lie::Missing,
    Lie::OrderThatChanges,
    Lie::TwoIdentifiers,
    Lie::PagesThatRepeat,
    Lie::NoLimit,
    Lie::NoPaging,
    Lie::OwnCut,
    Lie::OwnRepeated,
];

pub(crate) struct Liar {
    server: MockServer,
    lists: Arc<Mutex<usize>>,
}

#[derive(Clone)]
struct Responder {
    lie: Lie,
    own: bool,
    /// The maximum entries of a page, whatever the limit of the request; the response does not
    /// tell.
    cap: usize,
    keys: Arc<Mutex<Vec<String>>>,
    lists: Arc<Mutex<usize>>,
}

impl Liar {
    pub(crate) async fn start(lie: Lie, own: bool, keys: usize, cap: usize) -> Self {
        let server = MockServer::start().await;
        let keys = Arc::new(Mutex::new((0..keys).map(key).collect()));
        let lists = Arc::default();
        let responder = Responder { lie, own, cap, keys, lists: Arc::clone(&lists) };
        Mock::given(matchers::any()).respond_with(responder).mount(&server).await;
        Self { server, lists }
    }

    pub(crate) fn client(&self) -> Client {
        let builder = Client::builder().base_url(self.server.uri()).api_key("k").tenant("t");
        builder.retry(RetryPolicy::none()).build().unwrap()
    }

    /// The keys of every full list that was written.
    pub(crate) async fn written(&self) -> Vec<Vec<String>> {
        let requests = self.server.received_requests().await.unwrap();
        let puts = requests.iter().filter(|request| request.method.as_str() == "PUT");
        puts.map(|put| {
            let body: Value = serde_json::from_slice(&put.body).unwrap();
            let entries = body["secrets"].as_array().unwrap();
            entries.iter().map(|entry| entry["key"].as_str().unwrap().to_owned()).collect()
        })
        .collect()
    }

    /// The identifiers of the secrets that were deleted.
    pub(crate) async fn deleted(&self) -> Vec<String> {
        let requests = self.server.received_requests().await.unwrap();
        let deletes = requests.iter().filter(|request| request.method.as_str() == "DELETE");
        deletes.map(|one| one.url.path().rsplit('/').next().unwrap().to_owned()).collect()
    }

    /// How many pages were requested.
    pub(crate) fn lists(&self) -> usize {
        *self.lists.lock().unwrap()
    }
}

pub(crate) fn key(n: usize) -> String {
    format!("K{n:03}")
}

fn secret(key: &str, id: &str, with_value: bool) -> Value {
    let mut secret = json!({
        "id": id,
        "fqn": format!("t:app:{key}"),
        "name": key,
        "secretGroupId": GROUP,
        "updatedAt": "2026-01-02T03:04:05Z",
    });
    if with_value {
        secret["value"] = format!("value of {key}").into();
    }
    secret
}

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let response = match (request.method.as_str(), request.url.path()) {
            ("POST", "/api/svc/v1/secrets") => self.page(&body),
            ("GET", "/api/svc/v1/secret-groups") => json!({ "data": [self.group()] }),
            ("GET", _) => json!({ "data": self.group() }),
            ("PUT", _) => {
                let entries = body["secrets"].as_array().unwrap();
                *self.keys.lock().unwrap() =
                    entries.iter().map(|entry| entry["key"].as_str().unwrap().to_owned()).collect();
                json!({ "data": self.group() })
            }
            ("DELETE", _) => json!(1),
            _ => return ResponseTemplate::new(501),
        };
        ResponseTemplate::new(200).set_body_json(response)
    }
}

impl Responder {
    fn group(&self) -> Value {
        let mut keys = self.keys.lock().unwrap().clone();
        let mut group = json!({ "id": GROUP, "fqn": "t:app", "updatedAt": "2026-01-02T03:04:05Z" });
        let own = |keys: &[String]| -> Value {
            keys.iter().map(|key| secret(key, &format!("s-{key}"), false)).collect()
        };
        if self.lie == Lie::OwnCut {
            group["associatedSecrets"] = own(&keys[..keys.len().min(10)]);
        } else if self.lie == Lie::OwnRepeated {
            *keys.last_mut().unwrap() = key(0);
            group["associatedSecrets"] = own(&keys);
        } else if self.own {
            group["associatedSecrets"] = own(&keys);
        }
        group
    }

    fn page(&self, body: &Value) -> Value {
        let nth = {
            let mut lists = self.lists.lock().unwrap();
            *lists += 1;
            *lists
        };
        let number = |name: &str| usize::try_from(body[name].as_u64().unwrap()).unwrap();
        let (offset, limit) = (number("offset"), number("limit").min(self.cap));
        let with_value = body["withValue"] == true;
        let keys = self.keys.lock().unwrap().clone();
        let mut all: Vec<Value> =
            keys.iter().map(|key| secret(key, &format!("s-{key}"), with_value)).collect();
        let count = all.len();
        match self.lie {
            Lie::RepeatedInPlace => {
                let first = all[0].clone();
                all.pop();
                all.insert(0, first);
            }
            Lie::RepeatedInAddition => all.insert(0, all[0].clone()),
            Lie::Missing => drop(all.remove(count / 2)),
            Lie::OrderThatChanges => all.rotate_left(nth * 37 % count),
            Lie::TwoIdentifiers => {
                all.pop();
                all.push(secret(&keys[0], "s-other", with_value));
            }
            _ => {}
        }
        let (offset, limit) = match self.lie {
            Lie::PagesThatRepeat => (0, limit),
            Lie::NoLimit => (offset, 120),
            Lie::NoPaging => (0, usize::MAX),
            _ => (offset, limit),
        };
        let data: Vec<Value> = all.into_iter().skip(offset).take(limit).collect();
        let total = match self.lie {
            Lie::NoTotal => return json!({ "data": data }),
            Lie::TotalOfZero => 0,
            Lie::TotalOfThePage | Lie::NoLimit => data.len(),
            Lie::TotalTooLow => count / 2,
            Lie::TotalTooHigh => count + 1,
            Lie::TotalThatChanges => count + nth,
            _ => count,
        };
        json!({ "data": data, "pagination": { "total": total } })
    }
}
