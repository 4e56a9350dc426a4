//! The same calls written without this crate. They show that the scanner finds what is left.

use serde::{Deserialize, Serialize};
use truefoundry_secrets::reqwest;

use crate::run::Run;

#[derive(Deserialize)]
struct Response {
    data: Secret,
}

#[derive(Deserialize)]
struct Secret {
    value: String,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Secret>,
}

#[derive(Serialize)]
struct Group {
    name: String,
    secrets: Vec<Pair>,
}

#[derive(Serialize)]
struct Pair {
    key: String,
    value: String,
}

pub(crate) struct ByHand {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl ByHand {
    pub(crate) fn new(run: &Run, key: String) -> Self {
        let builder = run.tls(reqwest::Client::builder().no_proxy(), |builder, root| {
            builder.tls_certs_only([root])
        });
        let url = format!("{}/api/svc/v1", run.server.url);
        Self { http: builder.build().unwrap(), url, key }
    }

    /// The length of the value, if the response had one.
    pub(crate) async fn get(&self) -> Option<usize> {
        let request = self.http.get(format!("{}/secrets/s-1", self.url)).bearer_auth(&self.key);
        let response: Response = request.send().await.ok()?.json().await.ok()?;
        Some(response.data.value.len())
    }

    pub(crate) async fn list(&self, group: &str) {
        let request = self.http.post(format!("{}/secrets", self.url)).bearer_auth(&self.key);
        let filter = serde_json::json!({"limit": 100, "secretGroupId": group, "withValue": true});
        let response: List = request.json(&filter).send().await.unwrap().json().await.unwrap();
        assert!(response.data.iter().all(|secret| !secret.value.is_empty()));
    }

    /// Sends values; the server's response does not matter here.
    pub(crate) async fn create(&self, value: String) {
        let secrets = vec![Pair { key: "KEY".to_owned(), value }];
        let group = Group { name: "by-hand".to_owned(), secrets };
        let request = self.http.post(format!("{}/secret-groups", self.url)).bearer_auth(&self.key);
        let response = request.json(&group).send().await.unwrap();
        drop(response.text().await);
    }
}
