//! A web service whose settings come from a secret group and stay fresh through rotations and outages.
//!
//! ```sh
//! TFY_BASE_URL=... TFY_API_KEY=... cargo run --manifest-path examples/service/Cargo.toml
//! ```
//!
//! Without these variables it uses the login of the `tfy` CLI, which is for trying it; a deployed
//! service has a key. The group `prod-secrets` is checked every `SETTINGS_EVERY` seconds (60), and
//! the service listens on `LISTEN` (`127.0.0.1:0`, which is a free port). SIGTERM and Ctrl-C end it
//! once its open requests are done; SIGTERM is why it needs Unix.

use std::env;
use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};
use truefoundry_secrets::{Client, Identity, SecretValue, Watch};

#[derive(Deserialize)]
struct Settings {
    db_password: SecretValue,
    pool_size: u32,
}

// An error ends the program with one line, its hint included, and exit code 1.
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let every = Duration::from_secs(variable("SETTINGS_EVERY", 60)?);
    let client = Client::infer()?;
    let me = client.whoami().await.ok(); // an older control plane does not report it
    eprintln!("{} as {:?}", client.authority(), me.as_ref().and_then(Identity::user));
    let watch = client.watch_group("prod-secrets").every(every).max_stale(5 * every);
    let watch = watch.start_as::<Settings>().await?;
    let mut changes = watch.changes();
    tokio::spawn(async move {
        while let Some(change) = changes.next().await {
            println!("rotated: {}", change.rotated().join(", "));
        }
    });
    let mut terminate = signal(SignalKind::terminate())?;
    let stopped = async move { tokio::select!(_ = terminate.recv() => {}, _ = ctrl_c() => {}) };
    let listener = TcpListener::bind(variable("LISTEN", "127.0.0.1:0".to_owned())?).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, routes(watch)).with_graceful_shutdown(stopped).await?)
}

fn variable<T: FromStr>(name: &str, default: T) -> Result<T, String> {
    env::var(name).map_or(Ok(default), |text| text.parse().map_err(|_| format!("bad {name}")))
}

fn routes(watch: Watch<Settings>) -> Router {
    Router::new().route("/pool", get(pool)).route("/health", get(health)).with_state(watch)
}

/// A handler reads the settings once, so that it works with one state of them.
async fn pool(State(watch): State<Watch<Settings>>) -> Json<Value> {
    let settings = watch.current();
    Json(json!({ "size": settings.pool_size, "password": settings.db_password.to_string() }))
}

async fn health(State(watch): State<Watch<Settings>>) -> (StatusCode, Json<Value>) {
    let status = match watch.fresh() {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let last_error = watch.last_error().map(|error| error.to_string());
    (status, Json(json!({ "age_seconds": watch.age().as_secs(), "last_error": last_error })))
}
