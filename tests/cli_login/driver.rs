//! A fake control plane, and a client that has only a file's login. Each line of standard input is
//! a command, and its result is one line.

use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use tokio::task::JoinHandle;
use truefoundry_secrets::testing::{FakeTrueFoundry, Gate};
use truefoundry_secrets::{CliLogin, Client};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("missing FILE")?;
    let mut fake = FakeTrueFoundry::start().await;
    let mut client = None;
    let mut gate: Option<Gate> = None;
    let mut calling: Option<JoinHandle<String>> = None;
    for order in std::io::stdin().lock().lines() {
        let order = order?;
        let mut words = order.split_whitespace();
        let answer = match words.next().unwrap_or_default() {
            // The content of a file whose token lasts this many seconds, and its successors an
            // hour.
            "login" => {
                let seconds = words.next().ok_or("missing SECONDS")?.parse()?;
                fake = fake.with_token_lifetime(Duration::from_secs(seconds));
                let login = fake.login_as(words.next().unwrap_or("ada@example.com"));
                fake = fake.with_token_lifetime(HOUR);
                login.credentials_json()
            }
            "older" => {
                fake = fake.with_older_login();
                String::new()
            }
            // A client that later commands use, as in a program that keeps running.
            "open" => {
                client = Some(open(&path)?);
                String::new()
            }
            "call" => call(client.clone().ok_or("open first")?).await,
            "begin" => {
                let client = client.clone().ok_or("open first")?;
                calling = Some(tokio::spawn(call(client)));
                String::new()
            }
            "end" => calling.take().ok_or("begin first")?.await?,
            "hold" => {
                gate = Some(fake.hold_response("oauth2.token"));
                String::new()
            }
            "reached" => {
                gate.as_ref().ok_or("hold first")?.reached().await;
                String::new()
            }
            "release" => {
                gate.take().ok_or("hold first")?.release();
                String::new()
            }
            "expire" => {
                fake.advance_token_clock(HOUR);
                String::new()
            }
            // How many refreshes arrived since the last time this was asked.
            "refreshes" => {
                let is_refresh = |name: &str| matches!(name, "oauth2.token" | "oauth.refresh");
                let count = fake
                    .requests()
                    .iter()
                    .filter(|it| it.operation().is_some_and(is_refresh))
                    .count();
                fake.clear_requests();
                count.to_string()
            }
            _ => return Err("unknown order".into()),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn open(path: &str) -> truefoundry_secrets::Result<Client> {
    let login = CliLogin::open(path)?;
    Client::builder().base_url(login.host()).credentials(login).build()
}

async fn call(client: Client) -> String {
    match client.check().await {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}
