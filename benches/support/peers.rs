//! The same calls, written in four ways.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::OnceLock;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use truefoundry_secrets::{Client, ListSecretGroups, ListSecrets, NewSecretGroup, SecretRef};

use super::canned;

pub(crate) const KEY: &str = "a-key-of-a-length-that-is-usual-for-such-keys-0123456789abcdef";

/// All fields that the crate's own models have, each with an owner of its own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "decoded, as an application's models would be")]
struct FullGroup {
    id: String,
    fqn: String,
    tenant_name: Option<String>,
    name: Option<String>,
    created_by_subject: Option<FullSubject>,
    associated_secrets: Option<Vec<FullSecret>>,
    integration_id: Option<String>,
    manifest: Option<FullManifest>,
    account_id: Option<String>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, as an application's models would be")]
struct FullManifest {
    name: String,
    integration_fqn: Option<String>,
    collaborators: Option<Vec<FullCollaborator>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, as an application's models would be")]
struct FullCollaborator {
    subject: String,
    role_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "decoded, as an application's models would be")]
struct FullSecret {
    id: String,
    fqn: Option<String>,
    name: Option<String>,
    secret_group_id: Option<String>,
    value: Option<String>,
    created_by_subject: Option<FullSubject>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    active_deployments_count: Option<u64>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, as an application's models would be")]
struct FullSubject {
    #[serde(rename = "subjectId")]
    id: String,
    #[serde(rename = "subjectType")]
    kind: String,
    #[serde(rename = "subjectSlug")]
    slug: Option<String>,
    #[serde(rename = "subjectDisplayName")]
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, as an application's models would be")]
struct MinimalSecret {
    id: String,
    value: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, as an application's models would be")]
struct MinimalGroup {
    id: String,
    fqn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListBody<'a> {
    limit: u32,
    offset: u32,
    secret_group_id: &'a str,
    with_value: bool,
}

const LIST: ListBody<'_> =
    ListBody { limit: 100, offset: 0, secret_group_id: "group-1", with_value: true };

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FqnBody<'a> {
    limit: u32,
    offset: u32,
    secret_fqns: &'a [String],
    with_value: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewGroup<'a> {
    name: &'a str,
    integration_id: &'a str,
    secrets: [NewSecret<'a>; 1],
}

#[derive(Serialize)]
struct NewSecret<'a> {
    key: &'a str,
    value: &'a str,
}

/// One way to make the calls.
#[derive(Clone)]
pub(crate) enum Peer {
    /// This crate.
    Ours(Client),
    /// reqwest by hand with the same full models: the measure of the budgets.
    Hand(reqwest::Client, String),
    /// reqwest by hand with models of two fields.
    Bare(reqwest::Client, String),
    /// hyper's pooled client, without TLS, redirects or anything else of reqwest's.
    Hyper(Box<HyperClient<HttpConnector, Full<Bytes>>>, String),
}

impl Peer {
    pub(crate) fn new(name: &str, url: &str) -> Self {
        let url = url.to_owned();
        match name {
            "ours" => Self::Ours(Client::builder().base_url(url).api_key(KEY).build().unwrap()),
            "hand" => Self::Hand(hand_client(), url),
            "bare" => Self::Bare(hand_client(), url),
            "hyper" => {
                let client = HyperClient::builder(TokioExecutor::new()).build_http();
                Self::Hyper(Box::new(client), url)
            }
            other => panic!("no peer {other}"),
        }
    }

    pub(crate) async fn call(&self, scenario: &str) {
        let (name, size) = scenario.split_once(' ').unwrap_or((scenario, "0"));
        match name {
            "get" => self.get("secret-1").await,
            "get-pem" => self.get("pem").await,
            "get-plain" => self.get(&format!("plain-{size}")).await,
            "create" => self.create(size.parse().unwrap()).await,
            "page" => self.page().await,
            "values" => self.values().await,
            "mixed" => {
                self.values().await;
                self.get("secret-1").await;
            }
            "resolve" => self.resolve(size.parse().unwrap()).await,
            other => panic!("no scenario {other}"),
        }
    }

    async fn get(&self, id: &str) {
        match self {
            Self::Ours(client) => {
                black_box(client.secrets().get(id).await.unwrap());
            }
            Self::Hand(client, url) => {
                let url = format!("{url}/api/svc/v1/secrets/{id}");
                black_box(fetch::<FullSecret>(client, &url).await);
            }
            Self::Bare(client, url) => {
                let url = format!("{url}/api/svc/v1/secrets/{id}");
                black_box(fetch::<MinimalSecret>(client, &url).await);
            }
            Self::Hyper(client, url) => {
                let uri = format!("{url}/api/svc/v1/secrets/{id}");
                black_box(hyper_fetch::<MinimalSecret>(client, "GET", &uri, Bytes::new()).await);
            }
        }
    }

    /// A group with one secret of this many bytes, which is copied for each call.
    async fn create(&self, size: usize) {
        let value = canned::plain(size);
        match self {
            Self::Ours(client) => {
                let new = NewSecretGroup::in_integration("prod", "store-1").secret("DB", value);
                black_box(client.secret_groups().create(new).await.unwrap());
            }
            Self::Hand(client, url) => {
                let secrets = [NewSecret { key: "DB", value: &value }];
                let body = NewGroup { name: "prod", integration_id: "store-1", secrets };
                let request = client.post(format!("{url}/api/svc/v1/secret-groups"));
                let response = request.bearer_auth(KEY).json(&body).send().await.unwrap();
                let response = response.error_for_status().unwrap();
                black_box(response.json::<Data<FullGroup>>().await.unwrap().data);
            }
            Self::Bare(..) | Self::Hyper(..) => panic!("only ours and by hand"),
        }
    }

    /// The values of this many references, by reference.
    async fn resolve(&self, count: usize) {
        // Both are made once: the references do not change.
        static FQNS: OnceLock<Vec<String>> = OnceLock::new();
        static REFERENCES: OnceLock<Vec<SecretRef>> = OnceLock::new();
        let fqns = FQNS.get_or_init(|| {
            (0..count).map(|n| format!("my-tenant:group-0001:KEY-{n:04}")).collect()
        });
        let references =
            REFERENCES.get_or_init(|| fqns.iter().map(|fqn| fqn.parse().unwrap()).collect());
        match self {
            Self::Ours(client) => {
                assert_eq!(client.resolve_all(references).await.unwrap().len(), count);
            }
            Self::Hand(client, url) => {
                let mut values = HashMap::new();
                for fqns in fqns.chunks(100) {
                    let body =
                        FqnBody { limit: 100, offset: 0, secret_fqns: fqns, with_value: true };
                    let secrets = send_list::<FullSecret>(client, url, &body).await;
                    let named = secrets.into_iter().map(|one| (one.fqn.unwrap(), one.value));
                    values.extend(named.filter_map(|(fqn, value)| Some((fqn, value?))));
                }
                let found: Vec<_> = fqns.iter().map(|fqn| values.remove_entry(fqn)).collect();
                assert_eq!(black_box(found.iter().flatten()).count(), count);
            }
            Self::Bare(..) | Self::Hyper(..) => panic!("only ours and by hand"),
        }
    }

    async fn page(&self) {
        const PATH: &str = "/api/svc/v1/secret-groups?limit=100&offset=0";
        match self {
            Self::Ours(client) => {
                black_box(client.secret_groups().list(&ListSecretGroups::new()).await.unwrap());
            }
            Self::Hand(client, url) => {
                black_box(fetch::<Vec<FullGroup>>(client, &format!("{url}{PATH}")).await);
            }
            Self::Bare(client, url) => {
                black_box(fetch::<Vec<MinimalGroup>>(client, &format!("{url}{PATH}")).await);
            }
            Self::Hyper(client, url) => {
                let uri = format!("{url}{PATH}");
                black_box(
                    hyper_fetch::<Vec<MinimalGroup>>(client, "GET", &uri, Bytes::new()).await,
                );
            }
        }
    }

    async fn values(&self) {
        match self {
            Self::Ours(client) => {
                let params = ListSecrets::in_group("group-1").with_values();
                black_box(client.secrets().list(&params).await.unwrap());
            }
            Self::Hand(client, url) => {
                black_box(send_list::<FullSecret>(client, url, &LIST).await);
            }
            Self::Bare(client, url) => {
                black_box(send_list::<MinimalSecret>(client, url, &LIST).await);
            }
            Self::Hyper(client, url) => {
                let uri = format!("{url}/api/svc/v1/secrets");
                let body = Bytes::from(serde_json::to_vec(&LIST).unwrap());
                black_box(hyper_fetch::<Vec<MinimalSecret>>(client, "POST", &uri, body).await);
            }
        }
    }
}

/// As one would set it up by hand: with a deadline, and not following redirects. Without compression, which
/// only our tests switch on.
fn hand_client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_gzip()
        .timeout(std::time::Duration::from_secs(60))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

async fn fetch<T: for<'de> Deserialize<'de>>(client: &reqwest::Client, url: &str) -> T {
    let response = client.get(url).bearer_auth(KEY).send().await.unwrap();
    response.error_for_status().unwrap().json::<Data<T>>().await.unwrap().data
}

async fn send_list<T: for<'de> Deserialize<'de>>(
    client: &reqwest::Client,
    url: &str,
    body: &impl Serialize,
) -> Vec<T> {
    let url = format!("{url}/api/svc/v1/secrets");
    let response = client.post(url).bearer_auth(KEY).json(body).send().await.unwrap();
    response.error_for_status().unwrap().json::<Data<Vec<T>>>().await.unwrap().data
}

async fn hyper_fetch<T: for<'de> Deserialize<'de>>(
    client: &HyperClient<HttpConnector, Full<Bytes>>,
    method: &str,
    uri: &str,
    body: Bytes,
) -> T {
    let mut request = http::Request::builder()
        .method(method)
        .uri(uri)
        .header("authorization", format!("Bearer {KEY}"))
        .header("accept", "application/json");
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let response = client.request(request.body(Full::new(body)).unwrap()).await.unwrap();
    assert!(response.status().is_success());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice::<Data<T>>(&bytes).unwrap().data
}
